"""The search: one trial after another, each drawn from what the earlier ones showed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import optuna
from optuna.pruners import MedianPruner
from optuna.samplers import TPESampler
from optuna.trial import FrozenTrial, TrialState

from tfrs_app.contract.artifacts import exclusive
from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.contract.tune_config import TuneConfig
from tfrs_app.tuning.database import open_study
from tfrs_app.tuning.proposals import distributions_of, params_of, values_of

FIRST_JUDGED_EPOCH = 2
"""The first epoch tells little: small learning rates begin slowly."""
TRIALS_BEFORE_PRUNING = 5
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)

Report = Callable[[str], None]


class EndedError(Exception):
    """Ends a trial before its time; the text tells why."""


class Objective(Protocol):
    """Measures values of the searched keys."""

    def __call__(
        self, values: Mapping[str, Any], epoch_done: Callable[[int, float], None]
    ) -> float:
        """Returns the validation metric.

        Args:
            values: dotted key -> value.
            epoch_done: takes each epoch, counted from 1, and its metric; may raise.

        Raises:
            EndedError: the values cannot be trained with, or have no prospects.
        """


def search(
    folder: Path,
    tune: TuneConfig,
    base: RetrievalConfig,
    objective: Objective,
    report: Report,
) -> list[FrozenTrial]:
    """Tries values until there are as many finished trials as wanted.

    Whatever a killed search finished stays; each trial is drawn with a seed of its own,
    so the search goes on as it would have without the kill.

    Args:
        folder: of the study; one that is there is continued.
        tune: the search.
        base: whose own values are tried first, if the space holds them.
        objective: measures a trial.
        report: takes lines for the user.

    Returns:
        The finished trials in order.

    Raises:
        ArtifactError: another process searches in the folder, or it is damaged.
    """
    with exclusive(folder):
        pruner = MedianPruner(TRIALS_BEFORE_PRUNING, FIRST_JUDGED_EPOCH)
        study = open_study(folder, pruner=pruner)
        while len(done := _finished(study)) < tune.trials:
            study.sampler = _sampler(tune.seed, len(done))
            if not done:
                _try_first(study, params_of(base, tune.space))
            trial = study.ask(distributions_of(tune.space))
            values = values_of(trial.params, tune.space)
            report(f"trial {len(done) + 1} of {tune.trials}: {words(values)}")
            report(f"  {_measure(study, trial, values, objective)}")
        return done


def words(values: Mapping[str, Any]) -> str:
    """Returns values as a user reads them."""
    return ", ".join(
        f"{key.partition('.')[2]} {value}" for key, value in values.items()
    )


def _finished(study: optuna.Study) -> list[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=FINISHED)


def _sampler(seed: int, done: int) -> TPESampler:
    """Returns a sampler of Bergstra et al. 2011, over all keys jointly."""
    own = np.random.SeedSequence([seed, done]).generate_state(1)[0]
    return TPESampler(multivariate=True, seed=int(own))


def _try_first(study: optuna.Study, params: dict[str, Any] | None) -> None:
    waiting = study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
    if params is not None and not waiting:
        study.enqueue_trial(params)


def _measure(
    study: optuna.Study,
    trial: optuna.Trial,
    values: Mapping[str, Any],
    objective: Objective,
) -> str:
    """Runs a trial, stores what came of it, and says so."""

    def epoch_done(epoch: int, metric: float) -> None:
        trial.report(metric, epoch)
        if trial.should_prune():
            raise EndedError(f"below the median of the trials after epoch {epoch}")

    try:
        metric = objective(values, epoch_done)
    except EndedError as reason:
        study.tell(trial, state=TrialState.PRUNED)
        return f"ended early: {reason}"
    study.tell(trial, metric)
    best = " (best)" if study.best_trial.number == trial.number else ""
    return f"{metric:.4f}{best}"
