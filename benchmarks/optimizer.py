"""A training step with row-wise Adam against Keras' Adam on a shop's dataset.

    python benchmarks/optimizer.py [configs/complete_journey.yaml]

Needs the shop's dataset (`make demo`). The same batches, interleaved; medians.
"""

import json
import statistics
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config

ROUNDS = 3
STEPS = 30


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    config = sys.argv[1] if len(sys.argv) > 1 else "configs/complete_journey.yaml"
    stages = Stages(load_config(Path(config)), Console())
    import tensorflow as tf

    from tfrs_app.data.windows import training_batches
    from tfrs_app.training.optimizers import LazyAdam
    from tfrs_app.training.retrieval import RetrievalTraining

    settings = stages.config.retrieval
    trainings = {}
    for name, optimizer in (
        ("lazy_adam", LazyAdam),
        ("adam", tf.keras.optimizers.Adam),
    ):
        training = RetrievalTraining(stages.encoded, settings, lambda line: None)
        training.model.compile(optimizer=optimizer(settings.learning_rate))
        trainings[name] = training
    times_ms: dict[str, list[float]] = {name: [] for name in trainings}
    for number in range(ROUNDS + 1):
        for name, training in trainings.items():
            batches = training_batches(
                training.reader,
                training.log,
                positions=training.examples.positions,
                weight=training.examples.weight,
                batch_size=settings.batch_size,
                seed=(0, number),
            ).take(STEPS)
            start = time.perf_counter()
            training.model.fit(batches, verbose=0)
            if number:  # the first round compiles
                times_ms[name].append((time.perf_counter() - start) / STEPS * 1e3)
    report(times_ms, settings.batch_size)


def report(times_ms: dict[str, list[float]], batch_size: int) -> None:
    """Prints medians, the ratio and the line of JSON."""
    medians = {name: statistics.median(times) for name, times in times_ms.items()}
    table = Table("optimiser", "ms a step", "examples/s", title=f"batch {batch_size}")
    for name, median in medians.items():
        table.add_row(name, f"{median:.1f}", f"{batch_size / median * 1e3:,.0f}")
    Console().print(table)
    ratio = round(medians["adam"] / medians["lazy_adam"], 2)
    document = {"benchmark": "optimizer", "ratios": {"lazy_adam_vs_adam": ratio}}
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
