"""The ranker against gradient-boosted trees that are told the same of the same lists.

    pip install lightgbm==4.7.0
    python benchmarks/boosted_trees.py [configs/complete_journey.yaml] [--rounds 200]
        [--set KEY=VALUE]...

Needs the shop's finished runs (`make demo`). Trees are a judge of another kind: where
they order lists no better, what is missing is not a better network but something to be
told. NDCG@20 of the held-out users' lists, and of everybody's on the test window, with
towers and items' tables as of its first moment.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import lightgbm
import numpy as np
from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config

if TYPE_CHECKING:
    from tfrs_app.training.ranking_lists import Lists

K = 20
TREES = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 63,
    "min_data_in_leaf": 200,
    "feature_fraction": 0.5,
    "bagging_fraction": 0.5,
    "bagging_freq": 1,
    "seed": 0,
    "verbose": -1,
}


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", default="configs/complete_journey.yaml")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    console = Console(stderr=True)
    stages = Stages(load_config(Path(arguments.config), arguments.set), console)
    training, judging = lists_of(stages)
    trees = trained(training, arguments.rounds)
    judges = {
        "ranker": partial(ranked, stages),
        "boosted trees": partial(guessed, trees),
    }
    scores = {
        name: {which: ndcg(lists, score(lists)) for which, lists in judging.items()}
        for name, score in judges.items()
    }
    table = Table("NDCG@20", *judging)
    for name, found in scores.items():
        table.add_row(name, *(f"{value:.4f}" for value in found.values()))
    Console().print(table)
    rounded = {
        name: {which: round(value, 4) for which, value in found.items()}
        for name, found in scores.items()
    }
    shop = Path(arguments.config).stem
    line = {"benchmark": "boosted_trees", "shop": shop, "ndcg@20": rounded}
    sys.stdout.write(json.dumps(line) + "\n")


def lists_of(stages: Stages) -> tuple[Lists, dict[str, Lists]]:
    """Returns the lists to learn from, and those to judge by."""
    from tfrs_app.training.ranking_examples import (
        as_served,
        list_maker,
        ranking_examples,
    )
    from tfrs_app.training.ranking_lists import Lists
    from tfrs_app.training.runs import EARLIER_WEIGHTS, load_retrieval

    encoded, config = stages.encoded, stages.ranking_config
    log, split = encoded.dataset.events, encoded.dataset.split
    earlier = load_retrieval(stages.run_folder, encoded, weights=EARLIER_WEIGHTS)
    examples = ranking_examples(encoded, earlier, config, stages.shown_lists())
    knowledge, funnel = as_served(encoded, stages.towers, config)
    knowledge.refresh(split.test_start)
    maker = list_maker(encoded, stages.towers, funnel)
    users = np.flatnonzero(log.before(split.test_start) > log.row_splits[:-1])
    end_s = split.test_end or int(log.timestamp.max()) + 1
    tested = {
        target: Lists.joined(
            list(maker.made(users, split.test_start, end_s, new_only=new_only))
        )
        for target, new_only in (("all", False), ("first_purchase", True))
    }
    return examples.training, {"held-out users": examples.held_out, **tested}


def trained(lists: Lists, rounds: int) -> lightgbm.Booster:
    """Returns trees that guess the weightiest event of each candidate."""
    real = lists.weight > 0
    told = lightgbm.Dataset(
        lists.features[real].astype(np.float32),
        lists.label[..., -1][real].astype(np.int8),
        weight=lists.weight[real],
    )
    return lightgbm.train(TREES, told, num_boost_round=rounds)


def guessed(trees: lightgbm.Booster, lists: Lists) -> np.ndarray:
    """Returns the trees' scores, float `[lists, n]`."""
    real = lists.weight > 0
    score = np.full(lists.row.shape, -np.inf)
    score[real] = trees.predict(lists.features[real].astype(np.float32))
    return score


def ranked(stages: Stages, lists: Lists) -> np.ndarray:
    """Returns the ranker's scores, float `[lists, n]`."""
    import tensorflow as tf

    from tfrs_app.training.ranking_lists import logits_of

    ranker = stages.ranker
    assert ranker is not None
    vectors = stages.towers.embed_catalogue(stages.encoded.dataset.split.test_start)
    width = ranker.vector_width
    logits = logits_of(tf.function(ranker), lists, np.asarray(vectors)[:, :width])
    score: np.ndarray = ranker.score(
        ranker.probabilities(tf.constant(logits)), tf.constant(lists.row)
    ).numpy()
    return score


def ndcg(lists: Lists, score: np.ndarray) -> float:
    """Returns the mean over lists of which something was wanted."""
    from tfrs_app.evaluation.probabilities import list_ndcg

    some = lists.wanted > 0
    each = list_ndcg(
        score[some],
        lists.label[some, :, -1],
        lists.weight[some] > 0,
        lists.wanted[some],
        K,
    )
    return float(each.mean())


if __name__ == "__main__":
    main()
