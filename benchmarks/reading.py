"""Training windows cut from sequence records against row-wise Examples.

    python benchmarks/reading.py [configs/complete_journey.yaml]

Prepares both layouts into a temporary folder (2 GB for the demo). Both sides deliver
the same batches of the training span, shuffled: a history of 50, target, weight and
profile, every string as an int32 index of the same look-up, which is what a training
needs. Interleaved, medians. Rows are timed once their shuffle buffer is full, over
some batches; sequences over a whole epoch with its start. Rows in file order, which
no training wants, stand beside.
"""

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from rich.console import Console
from rich.table import Table

from beam.prepare import prepare
from tfrs_app.contract.loading import load_config

Batch: TypeAlias = Mapping[str, Any]

ROUNDS = 3
HISTORY_LENGTH = 50
BATCH_SIZE = 4096
ROW_BATCHES = 40
SEQUENCES, ROWS, UNSHUFFLED = "sequences", "rows", "rows in file order"


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "configs/complete_journey.yaml")
    with tempfile.TemporaryDirectory() as folder:
        overrides = [f"artifacts={folder}", "data.layout=rows"]
        overrides.append(f"data.row_history_length={HISTORY_LENGTH}")
        dataset = prepare(load_config(path, overrides))
        measures = readers(dataset)
        rates: dict[str, list[float]] = {name: [] for name in measures}
        for _ in range(ROUNDS):
            for name, measure in measures.items():
                rates[name].append(measure())
        report(rates, bytes_an_event(dataset))


def readers(folder: Path) -> dict[str, Callable[[], float]]:
    """Returns what measures each side once, in examples a second."""
    import tensorflow as tf

    from tfrs_app.data.dataset import Dataset
    from tfrs_app.data.rows import read_rows
    from tfrs_app.data.streaming import sequence_windows
    from tfrs_app.layers.lookup import FeatureLookup

    dataset = Dataset.open(folder)
    lookup = FeatureLookup(dataset.spec, dataset.vocabularies)

    def encode(columns: dict[str, tf.Tensor]) -> Mapping[str, tf.Tensor]:
        return {
            name: tf.cast(values, tf.int32) if values.dtype == tf.int64 else values
            for name, values in lookup(columns).items()
        }

    sizes = {"history_length": HISTORY_LENGTH, "batch_size": BATCH_SIZE}
    span = (None, dataset.split.validation_start)
    windows = sequence_windows(
        folder, dataset.spec, span=span, seed=1, encode=encode, **sizes
    )
    rows, unshuffled = (
        read_rows(folder, dataset.spec, "train", seed=seed, encode=encode, **sizes)
        for seed in (1, None)
    )
    return {
        SEQUENCES: lambda: whole_epoch(windows),
        ROWS: lambda: some_batches(rows),
        UNSHUFFLED: lambda: some_batches(unshuffled),
    }


def whole_epoch(batches: Iterable[Batch]) -> float:
    """Returns examples a second of an epoch, its start included."""
    start, examples = time.perf_counter(), 0
    for batch in batches:
        examples += len(batch["item_id"])
    return examples / (time.perf_counter() - start)


def some_batches(batches: Iterable[Batch]) -> float:
    """Returns examples a second once the first batches have come."""
    iterator = iter(batches)
    for _ in range(5):
        next(iterator)
    start = time.perf_counter()
    for _ in range(ROW_BATCHES):
        next(iterator)
    return ROW_BATCHES * BATCH_SIZE / (time.perf_counter() - start)


def bytes_an_event(folder: Path) -> dict[str, float]:
    """Returns the size on disk of each layout, divided by its events."""
    events = json.loads((folder / "stats.json").read_text())["events"]
    counted = {
        SEQUENCES: sum(events["by_type"].values()),
        ROWS: events["train"] + events["validation"] + events["test"],
    }
    return {
        name: sum(p.stat().st_size for p in (folder / name).rglob("*.tfrecord")) / count
        for name, count in counted.items()
    }


def report(rates: dict[str, list[float]], sizes: dict[str, float]) -> None:
    """Prints medians, ratios and the line of JSON."""
    medians = {name: statistics.median(values) for name, values in rates.items()}
    title = f"history {HISTORY_LENGTH}, batch {BATCH_SIZE}"
    table = Table("read from", "examples/s", "bytes an event", title=title)
    for name, median in medians.items():
        size = f"{sizes[name]:,.0f}" if name in sizes else ""
        table.add_row(name, f"{median:,.0f}", size)
    Console().print(table)
    ratio = round(medians[SEQUENCES] / medians[ROWS], 2)
    document = {"benchmark": "reading", "ratios": {"examples_per_s_vs_rowwise": ratio}}
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
