"""One peer in a process of its own: tuned, or fitted, asked and measured.

    python -m benchmarks.peers.process tune PEER FOLDER
    python -m benchmarks.peers.process answer PEER FOLDER TARGET...

The targets of one call are those that chose the same setting, which is fitted once.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.files import (
    LIST_LENGTH,
    LISTS,
    MEASURED,
    META,
    TEST_USERS,
    TUNED,
)
from benchmarks.peers.measuring import Clock, peak_mib, request_times
from benchmarks.peers.rival import (
    THREADS,
    Choice,
    Data,
    Peer,
    fitted,
    listed,
    peer_of,
    tune,
)


def main() -> None:
    """Does one step of one peer."""
    step, name, folder, *targets = sys.argv[1:]
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:THREADS])
    own = Path(folder) / name
    own.mkdir(exist_ok=True)
    peer = peer_of(name)
    if step == "tune":
        publish(own / TUNED, tune(peer, Path(folder)))
    else:
        answer(peer, Path(folder), own, targets)


def answer(peer: Peer, folder: Path, own: Path, targets: list[str]) -> None:
    """Fits on all that precedes the test window and lists for some targets."""
    meta = json.loads((folder / META).read_text(encoding="utf-8"))
    tuned = json.loads((own / TUNED).read_text(encoding="utf-8"))
    choice = Choice(**tuned["chosen"][targets[0]])
    data = Data.before(folder, meta["test_start"])
    clock = Clock()
    model = fitted(peer, data, choice)
    training, trained_mib = clock.taken(), peak_mib()
    packages = {name: version(name) for name in peer.PACKAGES}
    with np.load(folder / TEST_USERS) as users:
        asked = {target: users[target] for target in targets}
    for target, users_asked in asked.items():
        found = listed(model, users_asked, LIST_LENGTH, target)
        times = request_times(asking(model, target), users_asked)
        np.savez_compressed(own / LISTS.format(target=target), lists=found)
        publish(
            own / MEASURED.format(target=target),
            {
                "setting": dict(choice.setting),
                "rounds": choice.rounds,
                "training": training,
                "peak_mib": trained_mib,
                "peak_with_answers_mib": peak_mib(),
                "requests": times,
                "packages": packages,
                "finished": time.strftime("%Y-%m-%d", time.gmtime()),
            },
        )


def asking(model: Any, target: str) -> Callable[[np.ndarray, int], Any]:
    """Returns a request for the best k of some users."""
    new_only = target == "first_purchase"
    return lambda users, k: model.recommend(users, k, new_only=new_only)


def publish(path: Path, document: dict[str, Any]) -> None:
    """Writes a file that is whole as soon as it is there."""
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    draft.replace(path)


if __name__ == "__main__":
    main()
