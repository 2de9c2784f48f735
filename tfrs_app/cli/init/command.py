"""The command that writes a shop's first config."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tfrs_app.cli.options import console
from tfrs_app.contract.errors import ConfigError, UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.console import Console

    from tfrs_app.cli.init.draft import Draft, Zone
    from tfrs_app.cli.init.log import Log
    from tfrs_app.cli.init.mapping import Choices
    from tfrs_app.cli.init.sample import Sample

NO_USERS = "-"


def init(
    events: Annotated[
        str | None, typer.Option(help="Events: path, glob or URL of the files.")
    ] = None,
    items: Annotated[
        str | None, typer.Option(help="Items: path, glob or URL of the files.")
    ] = None,
    users: Annotated[
        str | None, typer.Option(help="Users' profiles, if there are any.")
    ] = None,
    shop: Annotated[
        str | None, typer.Option(help="Name; by default that of the events' folder.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="YAML to write; default: configs/<shop>.yaml.")
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="[TABLE.]NAME=COLUMN",
            help="Which column it is, e.g. user_id=Email or items.item_id=SKU.",
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Accept every guess.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the YAML.")] = False,
) -> None:
    """Look at a shop's tables and write its config, to be read and corrected."""
    from tfrs_app.cli.init.draft import shop_name
    from tfrs_app.cli.init.mapping import choices_for
    from tfrs_app.cli.init.sample import sample_of

    sources = _sources({"events": events, "items": items, "users": users}, yes)
    samples = {name: sample_of(name, source) for name, source in sources.items()}
    name = shop_name(shop, sources["events"])
    if not yes and shop is None:
        name = shop_name(typer.prompt("name of the shop", default=name, err=True), "")
    path = output or Path("configs") / f"{name}.yaml"
    if path.exists() and not force:
        raise ConfigError(
            f"{path}: is there already; name another file with --output or replace it "
            "with --force"
        )
    choices = choices_for(samples, _asked(columns or []))
    draft = _agreed(name, samples, choices, yes, console())
    _write(draft, path, console())
    _check(path, console())


def _sources(given: dict[str, str | None], yes: bool) -> dict[str, str]:
    """Returns table -> files, asking for what no option names."""
    found: dict[str, str] = {}
    for table in ("events", "items"):
        source = given[table]
        if source is None and yes:
            raise ConfigError(f"--{table}: is absent; name the files of the {table}")
        found[table] = source or typer.prompt(f"files of the {table}", err=True)
    users = given["users"]
    if users is None and not yes:
        users = typer.prompt("files of the users", default=NO_USERS, err=True)
    return found if users in (None, NO_USERS) else {**found, "users": str(users)}


def _asked(columns: list[str]) -> dict[str, str | None]:
    """Returns what `--column` says: `TABLE.COLUMN` -> the file's column."""
    from tfrs_app.contract.dataset import TABLE_COLUMNS

    known = {
        f"{table}.{name}"
        for table, (required, optional) in TABLE_COLUMNS.items()
        for name in required | optional
    }
    found: dict[str, str | None] = {}
    for option in columns:
        name, sign, column = option.partition("=")
        key = name if "." in name else f"events.{name}"
        if key not in known or not sign or not column:
            raise ConfigError(
                f"--column {option}: write NAME=COLUMN with NAME one of "
                f"{', '.join(sorted(known))}; `events.` may be left away"
            )
        found[key] = None if column == NO_USERS else column
    return found


def _agreed(
    name: str,
    samples: Mapping[str, Sample],
    choices: Mapping[str, Choices],
    yes: bool,
    console: Console,
) -> Draft:
    """Returns the draft with a person's corrections."""
    from tfrs_app.cli.init import terminal
    from tfrs_app.cli.init.draft import drafted, zone_of

    if not yes:
        typer.echo("Enter accepts what stands in brackets, - is none.", err=True)
        choices = terminal.correct_columns(samples, choices)
    zone = zone_of(samples["events"], choices["events"])
    if not yes:
        zone = terminal.correct_zone(zone)
    log = _read(samples["events"], choices["events"], zone, console)
    draft = drafted(name, samples, choices, zone, log)
    if not yes:
        draft = terminal.correct(draft)
    terminal.show(draft, console)
    return draft


def _read(events: Sample, choices: Choices, zone: Zone, console: Console) -> Log:
    from tfrs_app.cli.init.log import read_log
    from tfrs_app.contract.dataset import EVENT_TYPE, TIMESTAMP

    with console.status("reading the time of all events") as status:
        return read_log(
            events,
            str(choices[TIMESTAMP].column),
            choices[EVENT_TYPE].column,
            zone.name or "UTC",
            lambda rows: status.update(
                f"reading the time of all events: {rows:,} rows"
            ),
        )


def _write(draft: Draft, path: Path, console: Console) -> None:
    """Writes the config, once it is one that loads."""
    import yaml
    from rich.markup import escape

    from tfrs_app.cli.init.yaml_text import yaml_of
    from tfrs_app.cli.program import program
    from tfrs_app.contract.artifacts import write_atomically
    from tfrs_app.contract.config import ShopConfig

    text = yaml_of(draft, program())
    ShopConfig.model_validate(yaml.safe_load(text))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, text.encode())
    except OSError as error:
        raise ConfigError(
            f"--output {path}: cannot be written ({error.strerror}); name a file in a "
            "folder in which you may write"
        ) from error
    console.print(f"config  {escape(str(path))}")


def _check(path: Path, console: Console) -> None:
    """Runs the doctor on what was written, and says what to do next."""
    from tfrs_app.cli.doctor import check, judge
    from tfrs_app.cli.ending import tell_next
    from tfrs_app.contract.loading import load_config

    try:
        judge(check(load_config(path), console))
    except UserError as error:
        raise type(error)(f"{path} is written, but {error}") from error
    tell_next(console, "run", path)
