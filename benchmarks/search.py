"""Search by words: does the shopper's own liking help to find what is meant?

    python benchmarks/search.py [configs/online_retail.yaml]

Needs the shop's finished runs, and a section `text`. A shop's logs of searches are not
at hand, so purchases of the test window stand for them: each was looked for with two
words of the item's text, drawn at random, by a shopper whose history ends where the
window starts. The model is that of `tfrs-app export`, as of that moment.
"""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.features import ITEM_ID, Kind, Role
from tfrs_app.contract.loading import load_config
from tfrs_app.data.raw_queries import raw_queries
from tfrs_app.export.publish import build_recommender

SEARCHES = 512
AT_ONCE = 16
K = 10
WORDS = 2
PERSONAL = (0.0, 0.25, 0.5, 1.0, 2.0)


def main() -> None:
    """Prints a table and, as its last line, one JSON object."""
    config = Path(sys.argv[1] if len(sys.argv) > 1 else "configs/online_retail.yaml")
    stages = Stages(load_config(config, []), Console())
    dataset = stages.encoded.dataset
    recommender, _ = build_recommender(
        stages.towers,
        stages.encoded,
        stages.config.export,
        stages.ranker,
        dataset.split.test_start,
        stages.text_encoders,
    )
    search = recommender.signatures()["search"]
    events, words = searches(stages)
    found = {
        personal: mean_of(places(stages, search, events, words, personal))
        for personal in PERSONAL
    }
    table = Table("personal", f"recall@{K}", f"MRR@{K}", title="found by two words")
    for personal, (recall, rank) in found.items():
        table.add_row(f"{personal:g}", f"{recall:.4f}", f"{rank:.4f}")
    stages.console.print(table)
    ratios = {
        f"mrr_{p:g}_vs_words_alone": f[1] / found[0.0][1] for p, f in found.items()
    }
    rounded = {name: round(ratio, 3) for name, ratio in ratios.items()}
    sys.stdout.write(json.dumps({"benchmark": "search", "ratios": rounded}) + "\n")


def searches(stages: Stages) -> tuple[np.ndarray, list[str]]:
    """Returns purchases of the test window, rows of the log, and what was typed."""
    dataset, random = stages.encoded.dataset, np.random.default_rng(0)
    log, names = (
        dataset.events,
        [f.name for f in dataset.spec.of(Role.CANDIDATE, Kind.TEXT)],
    )
    window = np.flatnonzero(log.timestamp >= dataset.split.test_start)
    events, words = [], []
    for event in random.permutation(window):
        texts = (dataset.catalogue[name][log.item[event]].decode() for name in names)
        known = sorted(set(re.findall(r"[A-Za-z]{3,}", " ".join(texts))))
        if len(known) >= WORDS:
            events.append(event)
            words.append(" ".join(random.choice(known, WORDS, replace=False)))
        if len(events) == SEARCHES:
            break
    return np.array(events), words


def places(
    stages: Stages,
    search: Callable[..., Any],
    events: np.ndarray,
    words: list[str],
    personal: float,
) -> np.ndarray:
    """Returns where each item stands in its list, int `[searches]`; K: nowhere."""
    dataset = stages.encoded.dataset
    log, start_s = dataset.events, dataset.split.test_start
    ends, ids = log.before(start_s), dataset.catalogue[ITEM_ID]
    answers = []
    for first in range(0, len(events), AT_ONCE):
        some = events[first : first + AT_ONCE]
        users = log.user[some]
        inputs = raw_queries(
            dataset,
            users,
            ends[users],
            np.full(len(users), start_s),
            stages.history_length,
        )
        answer = search(
            query=tf.constant(words[first : first + AT_ONCE]),
            personal=tf.constant([personal], tf.float32),
            k=tf.constant(K),
            **{name: tf.constant(value) for name, value in inputs.items()},
        )
        hit = answer[ITEM_ID].numpy() == ids[log.item[some]][:, np.newaxis]
        answers.append(np.where(hit.any(axis=1), hit.argmax(axis=1), K))
    return np.concatenate(answers)


def mean_of(place: np.ndarray) -> tuple[float, float]:
    """Returns recall and mean reciprocal rank."""
    hit = place < K
    return float(hit.mean()), float((hit / (1 + place)).mean())


if __name__ == "__main__":
    main()
