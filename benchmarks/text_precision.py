"""The built-in text encoder's precisions on a shop's texts: cosine lost, speed gained.

    python benchmarks/text_precision.py [configs/complete_journey.yaml]

Needs the shop's dataset (`make demo`) and the weights of minilm-l6. Batches of distinct
texts, sorted by length; each goes through every precision in turn, once to warm up and
once for the clock. Ratios are medians over the batches; cosines are to float32.
"""

import json
import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.features import Kind, Role
from tfrs_app.contract.loading import load_config
from tfrs_app.contract.text_config import TextConfig

BATCH = 128
BATCHES = 60
PRECISIONS = ("float32", "bfloat16", "int8")


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    config = sys.argv[1] if len(sys.argv) > 1 else "configs/complete_journey.yaml"
    stages = Stages(load_config(Path(config)), Console())
    import tensorflow as tf

    from tfrs_app.export.text_encoder import ensure_encoder
    from tfrs_app.layers.text import load_encoder

    artifacts = Path(stages.config.artifacts)
    folders = {
        name: ensure_encoder(
            TextConfig(precision=name), artifacts, stages.console.print
        )
        for name in PRECISIONS
    }
    encoders = {name: load_encoder(str(folder)) for name, folder in folders.items()}
    seconds: dict[str, list[float]] = defaultdict(list)
    cosines: dict[str, list[np.ndarray]] = defaultdict(list)
    for batch in batches(stages):
        texts = tf.constant(batch)
        exact = encoders["float32"](texts).numpy()
        for name, encoder in encoders.items():
            cosines[name].append((encoder(texts).numpy() * exact).sum(axis=1))
            start = time.perf_counter()
            encoder(texts).numpy()
            seconds[name].append(time.perf_counter() - start)
    megabytes = {name: size_mb(Path(folder)) for name, folder in folders.items()}
    report(seconds, {n: np.concatenate(c) for n, c in cosines.items()}, megabytes)


def batches(stages: Stages) -> list[np.ndarray]:
    """Returns batches of distinct item texts, spread evenly from short to long."""
    from tfrs_app.data.dataset import Dataset

    dataset = Dataset.open(stages.dataset_folder)
    name = dataset.spec.of(Role.CANDIDATE, Kind.TEXT)[0].name
    distinct = np.unique(dataset.catalogue[name])
    ordered = distinct[np.argsort([len(text) for text in distinct], kind="stable")]
    whole = len(ordered) // BATCH
    chosen = np.unique(np.linspace(0, whole - 1, BATCHES).astype(int))
    return [ordered[number * BATCH : (number + 1) * BATCH] for number in chosen]


def size_mb(folder: Path) -> float:
    """Returns the size of a folder's files."""
    return (
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    )


def report(
    seconds: dict[str, list[float]],
    cosines: dict[str, np.ndarray],
    megabytes: dict[str, float],
) -> None:
    """Prints speeds, cosines, sizes and the line of JSON."""
    table = Table("precision", "texts/s", "vs float32", "lowest cosine", "mean", "MB")
    ratios = {}
    for name, times in seconds.items():
        pairs = zip(seconds["float32"], times, strict=True)
        ratios[name] = statistics.median(exact / own for exact, own in pairs)
        table.add_row(
            name,
            f"{BATCH / statistics.median(times):,.0f}",
            f"{ratios[name]:.2f}",
            f"{cosines[name].min():.5f}",
            f"{cosines[name].mean():.5f}",
            f"{megabytes[name]:.0f}",
        )
    Console().print(table)
    document = {
        "benchmark": "text_precision",
        "ratios": {
            f"{name}_vs_float32": round(ratio, 2)
            for name, ratio in ratios.items()
            if name != "float32"
        },
        "lowest_cosine": {n: round(float(c.min()), 5) for n, c in cosines.items()},
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
