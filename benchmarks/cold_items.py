"""Items that nobody has bought: what the towers make of their texts alone.

    python benchmarks/cold_items.py [configs/online_retail.yaml] [--set KEY=VALUE]...

Needs the shop's dataset and embedded texts (`tfrs-app run -c CONFIG`). For each of
three seeds, a tenth of the items with at least ten buyers lose every event before the
test window, as if they were new on its first day; the towers are trained without them,
by the shipped config. Then the customers' first purchases of these items are looked for
among these items only, and recall@20 is compared with three classics: the TF-IDF
profile of the user's items, the same with the encoder's vectors, and the recent
popularity of the most similar texts. Their parameters are those that do best on the
validation window, with another tenth of the items.
"""

import argparse
import itertools
import json
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.text_embeddings import TextEmbeddings
from tfrs_app.evaluation.baselines.popular import Popular
from tfrs_app.evaluation.baselines.tfidf_profile import TfidfProfile
from tfrs_app.evaluation.content import content_of
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question, Target, ask
from tfrs_app.evaluation.ranking import Scorer, evaluate
from tfrs_app.layers.neighbours import text_neighbours

SEEDS = (1, 2, 3)
SHARE = 0.1
BUYERS = 10
K = 20
HALF_LIVES_DAYS = (None, 112.0, 28.0)
WINDOWS_DAYS = (7, 14, 28, 56)
NEIGHBOURS = (5, 10, 20, 40)


@dataclass(frozen=True)
class Exam:
    """Holds a shop that lacks its cold items' events, and what is asked of them."""

    dataset: Dataset
    texts: TextEmbeddings
    question: Question

    @property
    def past(self) -> Past:
        """Returns what is known when the question is put."""
        content = content_of(self.dataset.spec, self.dataset.catalogue)
        items = len(self.dataset.train_events)
        return Past.of(self.dataset.events, self.question.moment_s, items, content)

    def recall(self, scorer: Scorer) -> float:
        """Returns a scorer's recall@20."""
        return evaluate(scorer, self.question, (K,))[f"recall@{K}"]


def exam_of(dataset: Dataset, texts: TextEmbeddings, seed: int, window: str) -> Exam:
    """Strips a tenth of the items of all events before a window."""
    split = dataset.split
    start, end = {
        "validation": (split.validation_start, split.test_start),
        "test": (split.test_start, split.test_end),
    }[window]
    cold = drawn(dataset, seed)
    bare = without(dataset, cold, start)
    question = ask(bare.events, Target.FIRST_PURCHASE, start, end).among(cold)
    # Who had bought the item in truth would find it too easily among its like.
    log, items = dataset.events, len(cold)
    had = log.span(None, start)
    pairs = question.user[question.targets.owners()] * items + question.targets.items
    first = ~np.isin(pairs, log.user[had] * items + log.item[had])
    return Exam(bare, texts, question.aiming_at(first))


def drawn(dataset: Dataset, seed: int) -> np.ndarray:
    """Returns which items are to be cold, bool `[items]`."""
    log, items = dataset.events, len(dataset.train_events)
    before = log.span(None, dataset.split.test_start)
    pairs = np.unique(log.user[before] * items + log.item[before])
    eligible = np.flatnonzero(np.bincount(pairs % items, minlength=items) >= BUYERS)
    cold = np.zeros(items, bool)
    count = int(SHARE * len(eligible))
    cold[np.random.default_rng(seed).choice(eligible, count, replace=False)] = True
    return cold


def without(dataset: Dataset, cold: np.ndarray, before_s: int) -> Dataset:
    """Returns a dataset whose cold items have no earlier event and no own embedding."""
    log = dataset.events
    kept = ~(cold[log.item] & (log.timestamp < before_s))
    events = replace(
        log,
        row_splits=np.concatenate([[0], np.cumsum(kept)])[log.row_splits],
        item=log.item[kept],
        event_type=log.event_type[kept],
        timestamp=log.timestamp[kept],
        context={name: values[kept] for name, values in log.context.items()},
    )
    gone = {item.decode() for item in dataset.catalogue["item_id"][cold]}
    known = [item for item in dataset.vocabularies["item_id"] if item not in gone]
    bare = replace(dataset)
    # What a dataset reads from its folder once, it keeps in its dict.
    bare.__dict__["events"] = events
    bare.__dict__["vocabularies"] = {**dataset.vocabularies, "item_id": known}
    return bare


def words(exam: Exam, half_life_days: float | None) -> Scorer:
    """Returns the TF-IDF profile."""
    past = exam.past
    assert past.content is not None
    return TfidfProfile(past, past.content, half_life_days)


def vectors(exam: Exam, half_life_days: float | None) -> Scorer:
    """Returns the profile of the frozen encoder's vectors."""
    content = sp.csr_matrix(sum(exam.texts.of(name) for name in exam.texts.rows))
    return TfidfProfile(exam.past, content, half_life_days)


def kin_popularity(exam: Exam, window_days: int, neighbours: int) -> Scorer:
    """Returns the recent popularity of the neighbours by text."""
    past = exam.past
    recent = past.age_days <= window_days
    pairs = np.unique(past.user[recent] * past.items + past.item[recent])
    users = np.bincount(pairs % past.items, minlength=past.items)
    kin, weight = text_neighbours(exam.texts.vectors, exam.texts.rows, neighbours)
    return Popular((users[kin] * weight).sum(axis=1))


CLASSICS: dict[str, tuple[Callable[..., Scorer], Iterable[tuple[Any, ...]]]] = {
    "TF-IDF profile": (words, [(h,) for h in HALF_LIVES_DAYS]),
    "encoder's profile": (vectors, [(h,) for h in HALF_LIVES_DAYS]),
    "recent popularity of neighbours": (
        kin_popularity,
        list(itertools.product(WINDOWS_DAYS, NEIGHBOURS)),
    ),
}


def towers(exam: Exam, stages: Stages) -> Scorer:
    """Trains the towers by the shop's config, on what the exam has left."""
    from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
    from tfrs_app.models.encoded import EncodedDataset
    from tfrs_app.training.retrieval import train_retrieval
    from tfrs_app.training.runs import load_retrieval

    encoded = EncodedDataset.of(exam.dataset, exam.texts)
    config = stages.config.retrieval
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        train_retrieval(encoded, config, run, stages.console.print, stages.fine_tuning)
        model = load_retrieval(run, encoded)
    return RetrievalScorer(model, encoded.reader(config.longest_history))


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", default="configs/online_retail.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    config = load_config(Path(arguments.config), arguments.set)
    stages = Stages(config, Console(stderr=True))
    dataset = Dataset.open(stages.dataset_folder)
    texts = TextEmbeddings.open(stages.text_embeddings_folder)
    recalls: dict[str, list[float]] = {name: [] for name in (*CLASSICS, "towers")}
    for seed in SEEDS:
        tuning = exam_of(dataset, texts, seed + len(SEEDS), "validation")
        exam = exam_of(dataset, texts, seed, "test")
        for name, (make, grid) in CLASSICS.items():
            best = max(grid, key=lambda point: tuning.recall(make(tuning, *point)))
            recalls[name].append(exam.recall(make(exam, *best)))
            stages.console.print(f"seed {seed}: {name} {best} {recalls[name][-1]:.4f}")
        recalls["towers"].append(exam.recall(towers(exam, stages)))
        stages.console.print(f"seed {seed}: towers {recalls['towers'][-1]:.4f}")
    report(recalls)


def report(recalls: dict[str, list[float]]) -> None:
    """Prints every seed's recall, the means and the line of JSON."""
    table = Table("recall@20", *(f"seed {seed}" for seed in SEEDS), "mean")
    means = {name: statistics.mean(values) for name, values in recalls.items()}
    for name, values in recalls.items():
        table.add_row(name, *(f"{value:.4f}" for value in values), f"{means[name]:.4f}")
    Console().print(table)
    rounded = {name: round(mean, 4) for name, mean in means.items()}
    document = {"benchmark": "cold_items", "recall@20": rounded}
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
