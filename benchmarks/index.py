"""ScaNN against the exact index on a trained shop: recall and time of one query.

    python benchmarks/index.py [configs/complete_journey.yaml]

Needs the shop's finished run (`make demo`). Both indices answer the same queries,
interleaved; times are medians over the queries, of the index alone, batch 1.
"""

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config

K = 100
LEAVES_SEARCHED = (0.05, 0.1, 0.2, 0.4)


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    config = sys.argv[1] if len(sys.argv) > 1 else "configs/complete_journey.yaml"
    stages = Stages(load_config(Path(config)), Console())
    queries, embeddings = queries_and_items(stages)
    import tensorflow as tf

    from tfrs_app.export.index import ExactIndex, ScannIndex, TrainedScann

    indices = {"exact": ExactIndex(tf.Variable(embeddings))}
    trained = TrainedScann(embeddings)
    for share in LEAVES_SEARCHED:
        indices[f"scann_{share}"] = ScannIndex(trained, share)
    search = {
        name: tf.function(
            lambda query, index=index: index.search(query, tf.constant(K)),
            input_signature=[tf.TensorSpec([None, embeddings.shape[1]])],
        ).get_concrete_function()
        for name, index in indices.items()
    }
    times_ms: dict[str, list[float]] = {name: [] for name in search}
    recalls: dict[str, list[float]] = {name: [] for name in search}
    for number in range(len(queries)):
        query = tf.constant(queries[number : number + 1])
        best: set[int] = set()
        for name, answer in search.items():
            start = time.perf_counter()
            rows, _ = answer(query)
            times_ms[name].append((time.perf_counter() - start) * 1e3)
            listed = set(rows.numpy()[0].tolist())
            best = best or listed  # the exact index answers first
            recalls[name].append(len(best & listed) / len(best))
    report(times_ms, recalls, len(embeddings))


def queries_and_items(stages: Stages) -> tuple[np.ndarray, np.ndarray]:
    """Returns embeddings of users `[users, dim]` and items `[items, dim]`."""
    from tfrs_app.evaluation.retrieval_scorer import embed_catalogue
    from tfrs_app.export.index_choice import sample_queries
    from tfrs_app.training.runs import load_retrieval

    model = load_retrieval(stages.run_folder, stages.encoded)
    now_s = int(stages.encoded.dataset.events.timestamp.max()) + 1
    return sample_queries(model, stages.encoded, now_s), embed_catalogue(model, now_s)


def report(
    times_ms: dict[str, list[float]], recalls: dict[str, list[float]], items: int
) -> None:
    """Prints medians, ratios and the line of JSON."""
    table = Table("index", f"recall@{K}", "ms a query", title=f"{items:,} items")
    medians = {name: statistics.median(times) for name, times in times_ms.items()}
    mean_recall = {name: statistics.fmean(values) for name, values in recalls.items()}
    for name, median in medians.items():
        table.add_row(name, f"{mean_recall[name]:.4f}", f"{median:.2f}")
    Console().print(table)
    ratios = {
        f"{name}_vs_exact": round(medians["exact"] / median, 2)
        for name, median in medians.items()
        if name != "exact"
    }
    document = {"benchmark": "index", "ratios": ratios, "recall": mean_recall}
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
