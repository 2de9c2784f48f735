"""ScaNN as we configure it, the exact index, hnswlib and faiss on large catalogues.

    pip install hnswlib==0.8.0 faiss-cpu==1.15.1
    python benchmarks/index.py [configs/complete_journey.yaml] [--items 100000 1000000]
        [--threads 1] [--leave-out hnswlib]

Needs the shop's finished run (`make demo`); `tfrs-app export` measures the shop's own
catalogue. The catalogues are the shop's items and further ones between them, 64 wide
(`index_rivals/catalogue.py`), the queries its users'. Every rival takes the cheapest
setting with which it finds 98 % of each query's exact best 100, then all are asked in
turns, for one query and for 32 at once: median times. Each has the same cores while it
is asked. hnswlib's graph of a million items takes by far the longest to build;
`--leave-out` does without.

Ours are SavedModels, called as the embedded server calls them; the peers are called
from Python.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from index_rivals.process import EXACT, PEERS, RECALL, RIVALS, SCANN, Rival
from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config

DIM = 64
K = 100
QUERIES = 512
ROUNDS = 9
CALLS = {1: 40, 32: 4}
"""Queries a call -> calls a round."""

Times = dict[str, dict[int, float]]


def main() -> None:
    """Prints a table a size and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description="Times indices and their rivals.")
    parser.add_argument("config", nargs="?", default="configs/complete_journey.yaml")
    parser.add_argument("--items", type=int, nargs="+", default=[10**5, 10**6])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--leave-out", nargs="+", choices=PEERS, default=[])
    arguments = parser.parse_args()
    names = [name for name in RIVALS if name not in arguments.leave_out]
    queries, items = queries_and_items(arguments.config)
    ratios: dict[str, float] = {}
    told: dict[str, Any] = {}
    for count in arguments.items:
        with tempfile.TemporaryDirectory() as folder:
            write_arrays(queries, items, count, Path(folder))
            states, times = raced(names, Path(folder), arguments.threads)
        report(count, arguments.threads, states, times)
        size = f"{count:.0e}".replace("+0", "")
        ratios |= ratios_of(times, size)
        told[size] = {name: {**states[name], "p50_ms": times[name]} for name in names}
    document = {
        "benchmark": "index",
        "threads": arguments.threads,
        "ratios": ratios,
        "measured": told,
    }
    print(json.dumps(document))


def queries_and_items(config: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns embeddings of a shop's users and items, float32 `[n, DIM]`."""
    from index_rivals.catalogue import rotated

    from tfrs_app.export.index_choice import sample_queries
    from tfrs_app.training.runs import load_retrieval

    stages = Stages(load_config(Path(config)), Console(stderr=True))
    model = load_retrieval(stages.run_folder, stages.encoded)
    now_s = int(stages.encoded.dataset.events.timestamp.max()) + 1
    users = sample_queries(model, stages.encoded, now_s, QUERIES)
    return rotated(users, np.asarray(model.embed_catalogue(now_s)), DIM)


def write_arrays(
    queries: np.ndarray, items: np.ndarray, count: int, folder: Path
) -> None:
    """Writes what the rivals read: items, queries and each query's best items."""
    import tensorflow as tf
    from index_rivals.catalogue import grown

    many = grown(items, count)
    steps = range(0, len(queries), 16)
    best = [tf.math.top_k(queries[i : i + 16] @ many.T, K).indices for i in steps]
    arrays = {"items": many, "queries": queries, "best": np.concatenate(best)}
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)


def raced(names: list[str], folder: Path, threads: int) -> tuple[dict[str, Any], Times]:
    """Returns each rival's setting and its median milliseconds by queries a call."""
    rivals = {name: Rival.start(name, folder, threads) for name in names}
    states = {name: rival.answer() for name, rival in rivals.items()}
    taken: dict[str, dict[int, list[float]]] = {
        name: {batch: [] for batch in CALLS} for name in rivals
    }
    for _ in range(ROUNDS):
        for batch, calls in CALLS.items():
            for name, rival in rivals.items():
                taken[name][batch] += rival.times_ms(batch, calls)
    for rival in rivals.values():
        rival.end()
    medians = {
        name: {batch: statistics.median(times) for batch, times in of_one.items()}
        for name, of_one in taken.items()
    }
    return states, medians


def ratios_of(times: Times, size: str) -> dict[str, float]:
    """Returns the time of the exact index and of the best peer by ScaNN's."""
    ratios = {}
    for batch in CALLS:
        together = "" if batch == 1 else f"_batch_{batch}"
        rivals = {
            "exact": times[EXACT][batch],
            "best_peer": min(times[peer][batch] for peer in PEERS if peer in times),
        }
        for name, taken in rivals.items():
            key = f"scann_vs_{name}_{size}_recall{RECALL * 100:.0f}{together}"
            ratios[key] = round(taken / times[SCANN][batch], 2)
    return ratios


def report(count: int, threads: int, states: dict[str, Any], times: Times) -> None:
    """Prints what the rivals took."""
    heads = [f"ms, {batch} at once" for batch in CALLS]
    title = f"{count:,} items x {DIM}, threads: {threads}"
    table = Table("", "setting", f"recall@{K}", *heads, "built in s", title=title)
    for name, of_one in times.items():
        state = states[name]
        table.add_row(
            name,
            state["setting"],
            f"{state['recall']:.4f}",
            *(f"{ms:.3f}" for ms in of_one.values()),
            f"{state['build_s']:.0f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
