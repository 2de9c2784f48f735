"""ScaNN against the exact index on a trained shop: recall and time of one query.

    python benchmarks/index.py [configs/complete_journey.yaml]

Needs the shop's finished run (`make demo`). Measured as `tfrs-app export` does,
at more settings: the indices answer the same queries in turn; times are medians of a
call, of the index alone.
"""

import json
import sys
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
    from tfrs_app.export.index_choice import best_rows, median_times, recall

    exact, trained = ExactIndex(tf.Variable(embeddings)), TrainedScann(embeddings)
    scanns = {share: ScannIndex(trained, share) for share in LEAVES_SEARCHED}
    indices = {None: exact, **scanns}
    best = best_rows(exact, queries, K)
    recalls = {
        share: recall(best_rows(index, queries, K), best)
        for share, index in indices.items()
    }
    report(median_times(indices, queries, K), recalls, len(embeddings))


def queries_and_items(stages: Stages) -> tuple[np.ndarray, np.ndarray]:
    """Returns embeddings of users `[users, dim]` and items `[items, dim]`."""
    from tfrs_app.export.index_choice import sample_queries
    from tfrs_app.training.runs import load_retrieval

    model = load_retrieval(stages.run_folder, stages.encoded)
    now_s = int(stages.encoded.dataset.events.timestamp.max()) + 1
    return sample_queries(model, stages.encoded, now_s), model.embed_catalogue(now_s)


def report(
    times_ms: dict[float | None, dict[int, float]],
    recalls: dict[float | None, float],
    items: int,
) -> None:
    """Prints medians, ratios and the line of JSON."""
    batches = list(times_ms[None])
    heads = (f"ms, {batch} at once" for batch in batches)
    table = Table("index", f"recall@{K}", *heads, title=f"{items:,} items")
    names = {s: "exact" if s is None else f"scann_{s:g}" for s in times_ms}
    for share, times in times_ms.items():
        cells = (f"{taken:.2f}" for taken in times.values())
        table.add_row(names[share], f"{recalls[share]:.4f}", *cells)
    Console().print(table)
    ratios = {
        f"{names[share]}_vs_exact": round(times_ms[None][1] / times[1], 2)
        for share, times in times_ms.items()
        if share is not None
    }
    document = {
        "benchmark": "index",
        "ratios": ratios,
        "recall": {names[share]: found for share, found in recalls.items()},
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
