"""The built-in text encoder's precisions on a shop's texts: cosine lost, speed gained.

    python benchmarks/text_precision.py [configs/complete_journey.yaml]

Needs the shop's dataset (`make demo`) and the weights of minilm-l6. Batches of distinct
texts, sorted by length; each goes through every precision in turn, once to warm up and
once for the clock. Ratios are medians over the batches; cosines are to float32. CPU
time, unlike the wall clock's, tells much the same on a busy machine.
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
BATCHES = 24
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
            TextConfig.model_validate({"precision": name}),
            artifacts,
            stages.console.print,
        )
        for name in PRECISIONS
    }
    encoders = {name: load_encoder(str(folder)) for name, folder in folders.items()}
    wall_s: dict[str, list[float]] = defaultdict(list)
    cpu_s: dict[str, list[float]] = defaultdict(list)
    cosines: dict[str, list[np.ndarray]] = defaultdict(list)
    for batch in batches(stages):
        texts = tf.constant(batch)
        exact = encoders["float32"](texts).numpy()
        for name, encoder in encoders.items():
            cosines[name].append((encoder(texts).numpy() * exact).sum(axis=1))
            start_wall, start_cpu = time.perf_counter(), time.process_time()
            encoder(texts).numpy()
            cpu_s[name].append(time.process_time() - start_cpu)
            wall_s[name].append(time.perf_counter() - start_wall)
    megabytes = {name: size_mb(Path(folder)) for name, folder in folders.items()}
    joined = {name: np.concatenate(parts) for name, parts in cosines.items()}
    report(wall_s, cpu_s, joined, megabytes)


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


def speed_up(seconds: dict[str, list[float]], name: str) -> float:
    """Returns the median over the batches of float32's time to this precision's."""
    pairs = zip(seconds["float32"], seconds[name], strict=True)
    return statistics.median(exact / own for exact, own in pairs)


def report(
    wall_s: dict[str, list[float]],
    cpu_s: dict[str, list[float]],
    cosines: dict[str, np.ndarray],
    megabytes: dict[str, float],
) -> None:
    """Prints speeds, cosines, sizes and the line of JSON."""
    table = Table(
        "precision", "texts/s", "speed", "CPU speed", "lowest cosine", "mean", "MB"
    )
    ratios = {}
    for name, cosine in cosines.items():
        ratios[f"{name}_vs_float32"] = speed_up(wall_s, name)
        ratios[f"{name}_vs_float32_cpu"] = speed_up(cpu_s, name)
        table.add_row(
            name,
            f"{BATCH / statistics.median(wall_s[name]):,.0f}",
            f"{ratios[f'{name}_vs_float32']:.2f}",
            f"{ratios[f'{name}_vs_float32_cpu']:.2f}",
            f"{cosine.min():.5f}",
            f"{cosine.mean():.5f}",
            f"{megabytes[name]:.0f}",
        )
    Console().print(table)
    document = {
        "benchmark": "text_precision",
        "ratios": {
            name: round(ratio, 2)
            for name, ratio in ratios.items()
            if not name.startswith("float32")
        },
        "lowest_cosine": {n: round(float(c.min()), 5) for n, c in cosines.items()},
    }
    sys.stdout.write(json.dumps(document) + "\n")


if __name__ == "__main__":
    main()
