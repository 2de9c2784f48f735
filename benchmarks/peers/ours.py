"""Ours as a rival: trained anew in processes of its own, asked as it is evaluated.

    python -m benchmarks.peers.ours train towers|ranker CONFIG FOLDER
    python -m benchmarks.peers.ours answer towers|funnel CONFIG FOLDER

The towers score the whole catalogue; the funnel is a SavedModel, exported as of the
first moment of the test window, whose `recommend` is asked. Settings are the YAML's.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.files import (
    LIST_LENGTH,
    LISTS,
    MEASURED,
    TEST_USERS,
    TRAINED,
    TUNED,
)
from benchmarks.peers.measuring import Clock, peak_mib, request_times
from benchmarks.peers.process import publish
from benchmarks.peers.rival import THREADS
from tfrs_app.cli.evaluation import contestants
from tfrs_app.cli.options import stages_of
from tfrs_app.cli.stages import Stages
from tfrs_app.evaluation.protocol import Question, Target, ask
from tfrs_app.evaluation.ranking import ranked_lists
from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer

TOWERS, FUNNEL = "towers", "funnel"
PACKAGES = ("tfrs-app", "tensorflow", "tensorflow-recommenders", "scann")
PARTS = {TOWERS: ("towers",), FUNNEL: ("towers", "ranker")}

Lists = Callable[[Question, int], np.ndarray]


def main() -> None:
    """Does one step."""
    step, name, config, folder = sys.argv[1:]
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    questions = Path(folder)
    stages = stages_here(Path(config), questions)
    if step == "train":
        train(stages, name, questions / TRAINED.format(part=name))
    else:
        answer(stages, name, questions)


def stages_here(config: Path, folder: Path) -> Stages:
    """Returns stages that keep their runs beside the questions, on the shop's dataset.

    So ours is trained and measured even where the shop has finished runs.
    """
    shop = stages_of(config, None)
    here = stages_of(config, [f"artifacts={folder / 'ours'}"])
    if not here.dataset_folder.exists():
        here.dataset_folder.parent.mkdir(parents=True, exist_ok=True)
        here.dataset_folder.symlink_to(shop.dataset_folder.resolve())
    return here


def train(stages: Stages, part: str, path: Path) -> None:
    """Trains one part and tells what that took, reading the dataset left out.

    A run that is there would not be trained again, and so not be measured: it goes.
    """
    folder = stages.run_folder if part == TOWERS else stages.ranking_folder
    shutil.rmtree(folder, ignore_errors=True)
    _ = stages.encoded.dataset.events
    clock = Clock()
    stages.train() if part == TOWERS else stages.train_ranking()
    publish(path, {"training": clock.taken(), "peak_mib": peak_mib()})


def answer(stages: Stages, name: str, questions: Path) -> None:
    """Writes lists and what making them took."""
    own = questions / name
    own.mkdir(exist_ok=True)
    log, split = stages.dataset.events, stages.dataset.split
    with lists_of(stages, name) as lists:
        for target in Target:
            question = ask(log, target, split.test_start, split.test_end)
            with np.load(questions / TEST_USERS) as users:
                assert np.array_equal(users[target], question.user)
            found = lists(question, LIST_LENGTH)
            np.savez_compressed(own / LISTS.format(target=target), lists=found)
            times = request_times(asking(lists, question), question.user)
            path = own / MEASURED.format(target=target)
            publish(path, measured(questions, name, times))
    publish(own / TUNED, {"tried": [], "not_tried": [], "chosen": {}, "cpu_s": None})


@contextmanager
def lists_of(stages: Stages, name: str) -> Iterator[Lists]:
    """Yields what answers a question with lists."""
    if name == TOWERS:
        reader = stages.encoded.reader(stages.towers.config.longest_history)
        scorer = RetrievalScorer(stages.towers, reader)
        yield lambda question, k: ranked_lists(scorer, question, k)
        return
    with contestants(stages) as found:
        assert found.funnel is not None
        yield found.funnel.lists


def asking(lists: Lists, question: Question) -> Callable[[np.ndarray, int], Any]:
    """Returns a request for the best k of some users of a question."""
    return lambda users, k: lists(question.of(np.isin(question.user, users)), k)


def measured(
    questions: Path, name: str, times: dict[str, dict[str, float]]
) -> dict[str, Any]:
    """Returns what asking took, and training all parts if that was done here."""
    paths = [questions / TRAINED.format(part=part) for part in PARTS[name]]
    parts = [json.loads(p.read_text(encoding="utf-8")) for p in paths if p.is_file()]
    whole = len(parts) == len(paths)  # runs copied from elsewhere took nothing here
    training = {
        unit: round(sum(part["training"][unit] for part in parts), 3)
        for unit in ("wall_s", "cpu_s")
    }
    return {
        "setting": "the shop's YAML",
        "rounds": None,
        "training": training if whole else None,
        "peak_mib": max(part["peak_mib"] for part in parts) if whole else None,
        "peak_with_answers_mib": peak_mib(),
        "requests": times,
        "packages": {package: version(package) for package in PACKAGES},
        "finished": time.strftime("%Y-%m-%d", time.gmtime()),
    }


if __name__ == "__main__":
    main()
