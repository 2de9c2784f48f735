"""Writes what every rival is asked, as plain arrays that need no library of ours.

    python -m benchmarks.peers.questions CONFIG FOLDER

Needs the shop's dataset (`tfrs-app prepare`). Users, targets and exclusions are those
of `tfrs-app evaluate`. What a rival may read and what only the judge may read lie in
different files.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console

from benchmarks.peers.files import (
    ANSWERS,
    EVENTS,
    ITEMS,
    META,
    TEST_USERS,
    VALIDATION,
)
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.features import ITEM_ID, Kind, Role
from tfrs_app.contract.loading import load_config
from tfrs_app.data.dataset import Dataset
from tfrs_app.evaluation.protocol import Question, Target, ask


def main() -> None:
    """Writes the files."""
    config, folder = Path(sys.argv[1]), Path(sys.argv[2])
    dataset = Stages(load_config(config, []), Console()).dataset
    refuse_other_events(dataset.spec.event_types)
    write(dataset, config, folder)
    Console().print(f"questions {folder}")


def refuse_other_events(types: Sequence[str]) -> None:
    """Refuses a shop that logs more than purchases, of which most peers make nothing.

    Raises:
        SystemExit: it does.
    """
    if len(types) > 1:
        raise SystemExit(
            f"the peers are compared on purchases alone, this shop logs {list(types)}; "
            "pass a shop with one type of event"
        )


def write(dataset: Dataset, config: Path, folder: Path) -> None:
    """Writes the events, the items, the users to ask and, apart, the answers."""
    log, split = dataset.events, dataset.split
    folder.mkdir(parents=True, exist_ok=True)
    known = log.span(None, split.test_start)
    np.savez_compressed(
        folder / EVENTS,
        user=log.user[known].astype(np.int32),
        item=log.item[known],
        timestamp=log.timestamp[known],
    )
    np.savez_compressed(folder / ITEMS, **features_of(dataset))
    validation = asked(dataset, split.validation_start, split.test_start)
    test = asked(dataset, split.test_start, split.test_end)
    np.savez_compressed(folder / VALIDATION, **answers_of(validation))
    np.savez_compressed(
        folder / TEST_USERS, **{target: test[target].user for target in Target}
    )
    np.savez_compressed(folder / ANSWERS, **answers_of(test))
    meta = {
        "shop": config.stem,
        "dataset": dataset.manifest.id,
        "users": log.users,
        "items": len(dataset.catalogue[ITEM_ID]),
        "validation_start": split.validation_start,
        "test_start": split.test_start,
        "test_end": split.test_end,
        "events": int(known.sum()),
    }
    (folder / META).write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


def features_of(dataset: Dataset) -> dict[str, np.ndarray]:
    """Returns the code of each item's value, int32 `[items]`, a categorical feature."""
    features = dataset.spec.of(Role.CANDIDATE, Kind.CATEGORICAL)
    return {
        f.name: np.unique(dataset.catalogue[f.name], return_inverse=True)[1].astype(
            np.int32
        )
        for f in features
    }


def asked(dataset: Dataset, start_s: int, end_s: int | None) -> dict[Target, Question]:
    """Returns the question of each target."""
    return {target: ask(dataset.events, target, start_s, end_s) for target in Target}


def answers_of(questions: dict[Target, Question]) -> dict[str, np.ndarray]:
    """Returns users, targets and exclusions of each target as arrays."""
    arrays = {}
    for target, question in questions.items():
        arrays |= {
            f"{target}_user": question.user,
            f"{target}_splits": question.targets.splits,
            f"{target}_items": question.targets.items,
            f"{target}_excluded_splits": question.excluded.splits,
            f"{target}_excluded_items": question.excluded.items,
        }
    return arrays


if __name__ == "__main__":
    main()
