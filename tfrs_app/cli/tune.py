"""`tfrs-app tune`: searches values, and shows and keeps the best."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.tune_config import TuneConfig

if TYPE_CHECKING:
    from pathlib import Path

    from optuna.trial import FrozenTrial

SHOWN = 10
"""Trials of the table at the end."""


def tune(stages: Stages) -> list[str]:
    """Searches the config's space and writes the best values as YAML.

    Returns:
        The best values as `KEY=VALUE` texts.

    Raises:
        ConfigError: the config has no space, or nothing in it could be trained.
        ArtifactError: there is no dataset, or another process searches too.
    """
    wanted = _section(stages.config)
    folder, trials = _search(stages, wanted)
    best = _best(trials)
    base, k = stages.config.retrieval, stages.config.retrieval.validation_k
    stages.console.print(_table(trials, wanted, f"ndcg@{k}"))
    from tfrs_app.contract.search_space import with_values
    from tfrs_app.tuning.fragment import (
        FRAGMENT,
        fragment,
        overrides,
        write_fragment,
    )
    from tfrs_app.tuning.proposals import values_of

    config = with_values(base, values_of(best.params, wanted.space))
    content = fragment(config, wanted.space)
    origin = (
        f"Trial {trials.index(best) + 1} of {len(trials)} of study {folder.name}: "
        f"validation ndcg@{k} {best.value:.4f}"
    )
    write_fragment(folder / FRAGMENT, content, origin)
    stages.console.print(content, markup=False, end="")
    stages.console.print(f"best values {folder / FRAGMENT}: paste them into the config")
    return overrides(config, wanted.space)


def _section(config: ShopConfig) -> TuneConfig:
    if config.tune is None:
        raise ConfigError(
            "tune: this section is absent, so there is nothing to search; add for "
            "instance `tune: {space: {retrieval.learning_rate: {low: 0.0003, high: "
            "0.01, log: true}}}`"
        )
    return config.tune


def _search(stages: Stages, wanted: TuneConfig) -> tuple[Path, list[FrozenTrial]]:
    import tensorflow as tf

    from tfrs_app.tuning.database import study_identity
    from tfrs_app.tuning.search import search
    from tfrs_app.tuning.trial import ValidationOf

    encoded, base = stages.encoded, stages.config.retrieval
    encoder = None if encoded.texts is None else encoded.texts.fingerprint
    dataset_id = encoded.dataset.manifest.id
    folder = stages.layout.study(study_identity(dataset_id, encoder, base, wanted))
    tf.keras.utils.disable_interactive_logging()  # a bar an epoch would hide the trials
    console = stages.console
    console.print(f"study {folder}")
    with console.status("") as status:
        objective = ValidationOf(encoded, base, lambda line: status.update(line))
        trials = search(folder, wanted, base, objective, _plainly(console))
    return folder, trials


def _plainly(console: Console) -> Any:
    return lambda line: console.print(line, markup=False)


def _best(trials: list[FrozenTrial]) -> FrozenTrial:
    complete = _ranked(trials)
    if not complete:
        raise ConfigError(
            f"tune.space: none of {len(trials)} trials could be trained, for the "
            "reasons above; change the space"
        )
    return complete[0]


def _ranked(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Returns the trials that were not ended early, best first."""
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    return sorted(complete, key=lambda trial: -(trial.value or 0.0))


def _table(trials: list[FrozenTrial], wanted: TuneConfig, metric: str) -> Table:
    from tfrs_app.tuning.proposals import values_of

    ranked = _ranked(trials)
    title = f"{len(trials)} trials, {len(trials) - len(ranked)} of them ended early"
    table = Table("trial", metric, "epochs", "time", title=title)
    for key in wanted.space:
        table.add_column(escape(key.partition(".")[2]), overflow="fold")
    for trial in ranked[:SHOWN]:
        values = values_of(trial.params, wanted.space)
        seconds = trial.duration.total_seconds() if trial.duration else 0.0
        table.add_row(
            str(trials.index(trial) + 1),
            f"{trial.value:.4f}",
            str(len(trial.intermediate_values)),
            f"{seconds:.0f} s",
            *(escape(str(values[key])) for key in wanted.space),
        )
    return table
