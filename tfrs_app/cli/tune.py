"""`tfrs-app tune`: searches values, and shows and keeps the best."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.tune_config import TuneConfig

if TYPE_CHECKING:
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
    ranked = _ranked(trials)
    if not ranked:
        raise ConfigError(
            f"tune.space: none of {len(trials)} trials could be trained, for the "
            "reasons above; change the space"
        )
    metric = f"ndcg@{stages.config.retrieval.validation_k}"
    stages.console.print(_table(trials, wanted, metric))
    origin = (
        f"Trial {trials.index(ranked[0]) + 1} of {len(trials)} of study {folder.name}: "
        f"validation {metric} {ranked[0].value:.4f}"
    )
    return _keep(stages, wanted, ranked[0], folder, origin)


def _keep(
    stages: Stages, wanted: TuneConfig, best: FrozenTrial, folder: Path, origin: str
) -> list[str]:
    """Writes and prints the best values, and returns them as overrides."""
    from tfrs_app.contract.search_space import with_values
    from tfrs_app.tuning import fragment
    from tfrs_app.tuning.proposals import values_of

    values = values_of(best.params, wanted.space)
    config = with_values(stages.config.retrieval, values)
    content, path = fragment.yaml_of(config, values), folder / fragment.FRAGMENT
    fragment.write(path, content, origin)
    stages.console.print(content, markup=False, end="")
    stages.console.print(f"best values {path}: paste them into the config")
    return fragment.overrides(config, values)


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
    text = None if stages.fine_tuning is None else stages.fine_tuning.text
    identity = study_identity(dataset_id, encoder, text, base, wanted)
    folder = stages.layout.study(identity)
    tf.get_logger().setLevel("ERROR")  # every trial builds a new graph, and it warns
    console = stages.console
    console.print(f"study {folder}")
    objective = ValidationOf(encoded, base, _plainly(console), stages.fine_tuning)
    return folder, search(folder, wanted, base, objective, _plainly(console))


def _plainly(console: Console) -> Callable[[str], None]:
    return lambda line: console.print(line, markup=False)


def _ranked(trials: list[FrozenTrial]) -> list[FrozenTrial]:
    """Returns the trials that were not ended early, best first."""
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    return sorted(complete, key=lambda trial: -(trial.value or 0.0))


def _table(trials: list[FrozenTrial], wanted: TuneConfig, metric: str) -> Table:
    from tfrs_app.tuning.proposals import values_of
    from tfrs_app.tuning.search import words

    ranked = _ranked(trials)
    title = f"{len(trials)} trials, {len(trials) - len(ranked)} of them ended early"
    table = Table("trial", metric, "epochs", "time", "values", title=title)
    for trial in ranked[:SHOWN]:
        seconds = trial.duration.total_seconds() if trial.duration else 0.0
        table.add_row(
            str(trials.index(trial) + 1),
            f"{trial.value:.4f}",
            str(len(trial.intermediate_values)),
            f"{seconds:.0f} s",
            escape(words(values_of(trial.params, wanted.space))),
        )
    return table
