"""Asks a model on this TensorFlow and on the published server's: do they agree?

`python -m tests.runtime.gate MODEL_VERSION DATASET [USERS]` prints a table and ends
with 1 if any answer differs.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from serving.server.models.servable import Servable
from tests.runtime.exchange import Run, array_of
from tests.runtime.libraries import OP_LIBRARIES
from tests.runtime.questions import questions
from tfrs_app.data.dataset import Dataset

TOLERANCE = 1e-4
"""Of scores; two releases of TensorFlow add floats up in different orders."""


@dataclass
class Agreement:
    """Counts what two runtimes said.

    Attributes:
        rows: lists, or rows of scores, that were compared.
        same: rows whose every id is the same, in the same place.
        difference: the largest of two scores at the same place.
    """

    rows: int = 0
    same: int = 0
    difference: float = 0.0

    def add(
        self, ours: Mapping[str, np.ndarray], theirs: Mapping[str, np.ndarray]
    ) -> None:
        """Takes in an answer of each."""
        assert ours.keys() == theirs.keys()
        batch = next(iter(ours.values())).shape[0]
        same = np.ones(batch, bool)
        for name, value in ours.items():
            other = theirs[name]
            assert value.shape == other.shape, name
            if value.dtype == object:
                same &= (value == other).reshape(batch, -1).all(axis=1)
            elif value.size:
                gap = np.abs(value.astype(float) - other.astype(float))
                self.difference = float(np.maximum(self.difference, gap.max()))
        self.rows += batch
        self.same += int(same.sum())


def compared(
    model: Path, dataset: Dataset, users: int, ops: tuple[str, ...] = OP_LIBRARIES
) -> dict[str, Agreement]:
    """Returns how far all signatures agree, each asked for as many users.

    Args:
        model: a version's folder.
        dataset: that the model was made of.
        users: to ask for.
        ops: libraries beside TensorFlow's own that the other runtime may have.
    """
    servable = Servable("gate", 1, model)
    try:
        asked, expected = _asked(servable, dataset, users)
    finally:
        servable.close()
    answers = published(model, [run for _, run in asked], ops)
    found = {name: Agreement() for name, _ in asked}
    for (name, _), ours, theirs in zip(asked, expected, answers, strict=True):
        found[name].add(ours, theirs)
    return found


def published(
    model: Path, runs: list[Run], ops: tuple[str, ...]
) -> list[dict[str, np.ndarray]]:
    """Returns the answers of the published server's libraries, from their process."""
    told = json.dumps([run.plain() for run in runs])
    answers = json.loads(_process(str(model), *ops, told=told))
    return [
        {name: array_of(value) for name, value in answer.items()} for answer in answers
    ]


def published_ops(ops: tuple[str, ...] = ()) -> bytes:
    """Returns the ops that the published server's libraries register, an OpList."""
    return base64.b64decode(json.loads(_process("ops", *ops))["ops"])


def _process(*arguments: str, told: str = "") -> str:
    command = [sys.executable, "-m", "tests.runtime", *arguments]
    done = subprocess.run(
        command, input=told, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def _asked(
    servable: Servable, dataset: Dataset, users: int
) -> tuple[list[tuple[str, Run]], list[dict[str, np.ndarray]]]:
    """Returns the runs by signature, and our own answers to them."""
    asked, answers = [], []
    for name, signature in servable.signatures.items():
        wanted = {alias: spec.node for alias, spec in signature.outputs.items()}
        for inputs in questions(signature, dataset, users):
            given = {**signature.defaults, **inputs}
            feeds = {spec.node: given[n] for n, spec in signature.inputs.items()}
            asked.append((name, Run(feeds, wanted)))
            answers.append(servable.run(name, inputs))
    return asked, answers


def main(model: str, dataset: str, users: str = "200") -> int:
    """Prints how far each signature agrees; returns 1 if one does not."""
    found = compared(Path(model), Dataset.open(Path(dataset)), int(users))
    for name, agreement in sorted(found.items()):
        sys.stdout.write(
            f"{name:16} {agreement.same:5} of {agreement.rows:5} rows the same, "
            f"scores within {agreement.difference:.1e}\n"
        )
    return int(any(a.same < a.rows for a in found.values()))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
