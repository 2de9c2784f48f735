"""One request through the funnel against its bare parts: ScaNN and the ranker alone.

    python benchmarks/recommend.py [configs/complete_journey.yaml]

Needs the shop's finished runs (`make demo`). A request without filters, k 20, of users
drawn at random, in process. The bare parts are the index' search for as many items as
the towers propose and the ranker on as many rows; all take turns, times are medians.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config
from tfrs_app.data.raw_queries import raw_queries

K = 20
REQUESTS = 60
BATCHES = (1, 32)

Inputs = dict[str, Any]
Call = Callable[[Inputs, int], None]


def main() -> None:
    """Measures and prints a table and one line of JSON."""
    config = Path(sys.argv[1] if len(sys.argv) > 1 else "configs/complete_journey.yaml")
    stages = Stages(load_config(config, []), Console())
    calls = calls_of(stages)
    medians = {batch: measured(stages, calls, batch) for batch in BATCHES}
    table = Table("users a request", *calls, title="median ms")
    for batch, times in medians.items():
        table.add_row(str(batch), *(f"{ms:.2f}" for ms in times.values()))
    Console().print(table)
    one, many = (medians[batch] for batch in BATCHES)
    ratios = {
        "recommend_vs_bare_parts": one["recommend"] / (one["index"] + one["ranker"]),
        "batch_32_throughput_vs_1": BATCHES[1] * one["recommend"] / many["recommend"],
    }
    rounded = {name: round(ratio, 2) for name, ratio in ratios.items()}
    sys.stdout.write(json.dumps({"benchmark": "recommend", "ratios": rounded}) + "\n")


def calls_of(stages: Stages) -> dict[str, Call]:
    """Returns the request and its bare parts, as graphs over the same inputs."""
    import tensorflow as tf

    from tfrs_app.export.publish import build_recommender
    from tfrs_app.models.ranking import FEATURES, ROW

    recommender, _ = build_recommender(
        stages.towers, stages.encoded, stages.config.export, stages.ranker
    )
    ranker = stages.ranker
    assert ranker is not None
    signatures = recommender.signatures()
    proposed = ranker.config.sources.two_tower
    search = tf.function(lambda q: recommender.index.search(q, proposed))
    rank = tf.function(lambda row, x: ranker({ROW: row, FEATURES: x}))
    if ranker.config.content or ranker.config.target_attention:
        raise SystemExit(
            "ranking.content and target_attention need the query too; not measured"
        )

    def index(inputs: Inputs, batch: int) -> None:
        search(tf.zeros([batch, recommender.exact.embeddings.shape[1]]) + 0.1)

    def ranked(inputs: Inputs, batch: int) -> None:
        rows = tf.zeros([batch, proposed], tf.int32)
        rank(rows, tf.zeros([batch, proposed, ranker.columns]))

    def recommend(inputs: Inputs, batch: int) -> None:
        signatures["recommend"](**inputs)

    return {"recommend": recommend, "index": index, "ranker": ranked}


def measured(stages: Stages, calls: dict[str, Call], batch: int) -> dict[str, float]:
    """Returns the median milliseconds of each call for random users."""
    import tensorflow as tf

    dataset, random = stages.encoded.dataset, np.random.default_rng(0)
    times: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(REQUESTS + 1):
        users = random.integers(dataset.events.users, size=batch)
        ends = dataset.events.row_splits[users + 1]
        moment = dataset.events.timestamp[ends - 1] + 1
        length = stages.history_length
        raw = raw_queries(dataset, users, ends, moment, length)
        inputs = {name: tf.constant(value) for name, value in raw.items()}
        inputs["k"] = tf.constant(K)
        for name, call in calls.items():
            began = time.perf_counter()
            call(inputs, batch)
            if number:  # the first call pays for what is made once
                times[name].append((time.perf_counter() - began) * 1e3)
    return {name: statistics.median(taken) for name, taken in times.items()}


if __name__ == "__main__":
    main()
