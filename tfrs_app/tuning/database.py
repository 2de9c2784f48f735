"""A study on disk: one SQLite file of Optuna's, which `kill -9` leaves readable."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy.exc import DatabaseError

from tfrs_app.contract.artifacts import identity_of
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.contract.text_config import TextConfig
from tfrs_app.contract.tune_config import TuneConfig
from tfrs_app.version import __version__

DATABASE = "study.db"
STUDY = "retrieval"


def study_identity(
    dataset_id: str,
    encoder: str | None,
    text: TextConfig | None,
    base: RetrievalConfig,
    tune: TuneConfig,
) -> str:
    """Returns the id of the study whose trials can be compared with each other.

    The number of trials is no part of it, so a search can be made longer.

    Args:
        dataset_id: of the dataset.
        encoder: fingerprint of the text encoder, if the towers read texts.
        text: how it is fine-tuned, if it is.
        base: the values of the keys that are not searched.
        tune: the search.
    """
    return identity_of(
        dataset=dataset_id,
        encoder=encoder,
        text=None if text is None else text.model_dump(mode="json"),
        retrieval=base.model_dump(mode="json"),
        space={key: space.model_dump() for key, space in tune.space.items()},
        seed=tune.seed,
        optuna=optuna.__version__,
        version=__version__,
    )


def open_study(folder: Path, **options: Any) -> optuna.Study:
    """Opens a study, or begins one; trials that a kill has broken off count as failed.

    The caller holds the folder's lock, so no other process has a trial running.

    Args:
        folder: of the study.
        options: pruner and the like of `optuna.create_study`.

    Raises:
        ArtifactError: the database is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    path = folder / DATABASE
    if not path.exists():
        _create(path)
    try:
        study = optuna.load_study(study_name=STUDY, storage=_storage(path), **options)
    except DatabaseError as error:
        raise ArtifactError(
            f"{path}: is no readable database; delete the folder and search again"
        ) from error
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
    return study


def _create(path: Path) -> None:
    """Makes an empty study under another name first: its tables come one by one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    storage = _storage(partial)
    optuna.create_study(storage=storage, study_name=STUDY, direction="maximize")
    storage.remove_session()
    storage.engine.dispose()
    partial.replace(path)


def _storage(path: Path) -> RDBStorage:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(path)

    # Not by URL: a question mark in a path would end it.
    return RDBStorage("sqlite://", engine_kwargs={"creator": connect})
