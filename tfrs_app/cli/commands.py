"""The commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tfrs_app.cli.asking import explain, recommend, search
from tfrs_app.cli.ending import tell_next
from tfrs_app.cli.examples import give_examples
from tfrs_app.cli.init.command import init
from tfrs_app.cli.json_output import print_json
from tfrs_app.cli.load_test import load_test
from tfrs_app.cli.options import (
    ConfigOption,
    JsonOption,
    KOption,
    SetOption,
    console,
    stages_of,
)
from tfrs_app.cli.serve import serve
from tfrs_app.cli.stages import Stages
from tfrs_app.cli.storefront import storefront
from tfrs_app.cli.text_encoder import text_encoder
from tfrs_app.contract.loading import load_config
from tfrs_app.version import __version__

app = typer.Typer(
    name="tfrs-app",
    help="From a shop's event logs to a served recommendation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
train = typer.Typer(help="Train a model on the dataset.", no_args_is_help=True)
app.add_typer(train, name="train")
catalog = typer.Typer(help="Change the catalogue of a model.", no_args_is_help=True)
app.add_typer(catalog, name="catalog")
app.add_typer(text_encoder, name="text-encoder")
app.command()(init)


@app.callback(invoke_without_command=True)
def version(
    show: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """From a shop's event logs to a served recommendation."""
    if show:
        console().print(f"tfrs-app {__version__}")
        raise typer.Exit


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def prepare(
    context: typer.Context,
    config: ConfigOption,
    overrides: SetOption = None,
    since: Annotated[
        str | None,
        typer.Option(help="Add the events from this moment on to the last dataset."),
    ] = None,
) -> None:
    """Turn the tables into a dataset; further options go to Apache Beam."""
    overrides = [*(overrides or []), *([f"data.since={since}"] if since else [])]
    stages = stages_of(config, overrides)
    stages.prepare(tuple(context.args))
    following = "embed-texts" if stages.embeds_texts else "train retrieval"
    _next(stages, following, config, overrides)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def embed_texts(
    context: typer.Context, config: ConfigOption, overrides: SetOption = None
) -> None:
    """Turn the items' texts into vectors; further options go to Apache Beam."""
    stages = stages_of(config, overrides)
    stages.embed_texts(tuple(context.args))
    _next(stages, "train retrieval", config, overrides)


@train.command()
def retrieval(config: ConfigOption, overrides: SetOption = None) -> None:
    """Train the two towers; a killed training is resumed."""
    stages = stages_of(config, overrides)
    stages.train()
    following = "evaluate" if stages.config.ranking is None else "train ranking"
    _next(stages, following, config, overrides)


@train.command()
def ranking(config: ConfigOption, overrides: SetOption = None) -> None:
    """Train the ranker on what the towers and the other sources propose."""
    stages = stages_of(config, overrides)
    stages.train_ranking()
    _next(stages, "evaluate", config, overrides)


@app.command()
def tune(config: ConfigOption, overrides: SetOption = None) -> None:
    """Search the keys of the tune section by validation; a killed search goes on."""
    from tfrs_app.cli.tune import tune as search

    stages = stages_of(config, overrides)
    best = search(stages)
    _next(stages, "run", config, [*(overrides or []), *best])


@app.command()
def evaluate(
    config: ConfigOption, overrides: SetOption = None, as_json: JsonOption = False
) -> None:
    """Compare the model with baselines on the test window."""
    from tfrs_app.cli.evaluation import figures_of

    stages = stages_of(config, overrides, as_json)
    stages.evaluate()
    _next(stages, "export", config, overrides)
    if as_json:
        print_json(figures_of(stages))


@app.command()
def export(
    config: ConfigOption, overrides: SetOption = None, as_json: JsonOption = False
) -> None:
    """Publish the model as the next version of a SavedModel."""
    stages = stages_of(config, overrides, as_json)
    folder = stages.export()
    _next(stages, "serve", config, overrides)
    if as_json:
        print_json(version_of(folder))


@app.command()
def run(
    config: ConfigOption, overrides: SetOption = None, as_json: JsonOption = False
) -> None:
    """Prepare, train, evaluate and export; skip what is up to date."""
    stages = stages_of(config, overrides, as_json)
    folder = stages.run()
    _next(stages, "serve", config, overrides)
    if as_json:
        print_json(
            {
                "dataset": stages.dataset_folder,
                "run": stages.last_run,
                "metrics": stages.metrics_file,
                "report": stages.report_page,
                **version_of(folder),
            }
        )


@catalog.command()
def push(
    table: Annotated[Path, typer.Argument(help="Table of new, changed, gone items.")],
    config: ConfigOption,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish the newest model with changed items, without training."""
    from tfrs_app.cli.catalog import push as push_items

    stages = stages_of(config, overrides, as_json)
    folder = push_items(stages, table)
    _next(stages, "recommend", config, overrides)
    if as_json:
        print_json(version_of(folder))


for asked in (serve, storefront, recommend, search, explain, load_test):
    app.command()(asked)


@app.command()
def simulate(
    output: Annotated[Path, typer.Option(help="Folder of the tables.")] = Path(
        "artifacts/simulated/tables"
    ),
    users: Annotated[int, typer.Option(help="Number of users.")] = 5000,
    items: Annotated[int, typer.Option(help="Number of items.")] = 2000,
    days: Annotated[int, typer.Option(help="Length of the log.")] = 180,
    seed: Annotated[int, typer.Option(help="Another seed, another shop.")] = 42,
) -> None:
    """Write the tables of a made shop whose true probabilities are known."""
    from tfrs_app.cli.simulate import write
    from tfrs_app.simulation.options import ShopSize

    write(ShopSize(users, items, days, seed), output, console())


@app.command()
def doctor(
    config: ConfigOption,
    overrides: SetOption = None,
    against: Annotated[
        str | None, typer.Option(help="Id of the dataset to compare with.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check this machine, a config against its tables, and the dataset's data."""
    from tfrs_app.cli.doctor import check, judge

    out = console(as_json)
    checked = check(load_config(config, overrides or []), out, against)
    if as_json:
        print_json(checked.as_json())
    judge(checked)
    tell_next(out, "run", config, overrides or ())


@app.command()
def forget(
    user: Annotated[str, typer.Argument(help="The user's id, as the tables have it.")],
    config: ConfigOption,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Remove a user from every dataset, and list what may still hold them."""
    from tfrs_app.cli.forget import forget as remove

    stages = stages_of(config, overrides, as_json)
    removed = remove(stages, user)
    _next(stages, "run", config, overrides)
    if as_json:
        print_json(removed)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True}
)
def impressions(
    logs: Annotated[list[str], typer.Argument(help="Request logs: files or globs.")],
    output: Annotated[Path, typer.Option(help="Folder of the Parquet table.")],
    max_rejected: Annotated[
        float, typer.Option(help="Share of bad records that is put up with.")
    ] = 0.01,
) -> None:
    """Turn request logs into a table of what was shown; more options go to Beam."""
    from tfrs_app.cli.impressions import convert

    options = [text for text in logs if text.startswith("--")]
    paths = [text for text in logs if not text.startswith("--")]
    convert(paths, output, max_rejected, options, console())


@app.command()
def demo(config: ConfigOption, overrides: SetOption = None, k: KOption = 10) -> None:
    """Run all stages, start a server, and ask it over gRPC and REST."""
    from tfrs_app.cli.demo import show

    show(stages_of(config, overrides), config, k)


def version_of(folder: Path) -> dict[str, Path | int]:
    """Returns what `--json` prints of a published model."""
    return {"model": folder, "version": int(folder.name)}


def _next(
    stages: Stages, command: str, config: Path, overrides: list[str] | None
) -> None:
    tell_next(stages.console, command, config, overrides or ())


give_examples(app)
