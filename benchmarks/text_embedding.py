"""The embedding job on the demo's whole catalogue against a plain loop in float32.

    python benchmarks/text_embedding.py [configs/complete_journey.yaml]

Needs the shop's dataset (`make demo`) and the weights of minilm-l6. The plain loop is
what one writes first: all items in catalogue order, batches of 128, the float32
encoder as it is. It would take minutes, so batches drawn at random stand for all of
them, and its time is theirs times all batches over those drawn; its loading of the
encoder is not counted. Ours is the whole job with an empty cache, from reading the
dataset and loading the encoder (bfloat16) to the sealed result. Interleaved, each run
in a fresh process after its imports; medians. CPU time is told beside the clock's,
because it says much the same on a busy machine. Cosines compare all drawn items.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.artifacts import Layout
from tfrs_app.contract.features import Kind, Role
from tfrs_app.contract.loading import load_config

REPEATS = 3
BATCH = 128
DRAWN = 16
"""Batches of the plain loop in each repeat."""
OVERRIDES = {
    "plain": ["text.precision=float32"],
    "ours": ["text.precision=bfloat16"],
}


@dataclass(frozen=True)
class Run:
    """Holds what one process measured; `vectors` is a file `[items, dim]`."""

    seconds: float
    cpu_s: float
    items: int
    distinct: int
    vectors: str


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description="Times the embedding job.")
    parser.add_argument("config", nargs="?", default="configs/complete_journey.yaml")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    config = Path(arguments.config)
    if arguments.child:
        way, folder, repeat = arguments.child
        run = WAYS[way](stages_of(config, way), Path(folder), int(repeat))
        print(json.dumps(asdict(run)))
        return
    for way in OVERRIDES:  # makes the encoders, outside of any time
        _ = stages_of(config, way).text_encoder
    with tempfile.TemporaryDirectory() as folder:
        runs: dict[str, list[Run]] = {way: [] for way in WAYS}
        for repeat in range(REPEATS):
            for way in WAYS:
                runs[way].append(in_a_process(config, way, Path(folder), repeat))
        report(runs)


def stages_of(config: Path, way: str) -> Stages:
    """Returns the shop's stages with a way's precision."""
    return Stages(load_config(config, OVERRIDES[way]), Console(stderr=True))


def in_a_process(config: Path, way: str, folder: Path, repeat: int) -> Run:
    """Measures one way in a fresh process."""
    command = [sys.executable, __file__, str(config)]
    command += ["--child", way, str(folder), str(repeat)]
    finished = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return Run(**json.loads(finished.stdout.splitlines()[-1]))


def plain(stages: Stages, folder: Path, repeat: int) -> Run:
    """Embeds drawn batches by a loop and scales the time to all batches."""
    import tensorflow as tf

    from tfrs_app.data.dataset import Dataset
    from tfrs_app.layers.text import load_encoder

    encode = load_encoder(stages.text_encoder.record.handle)
    catalogue = Dataset.open(stages.dataset_folder).catalogue
    (feature,) = stages.config.spec.of(Role.CANDIDATE, Kind.TEXT)
    texts = catalogue[feature.name]
    batches = -(-len(texts) // BATCH)
    drawn = drawn_batches(batches, repeat)
    encode(tf.constant(texts[:BATCH]))
    vectors = []
    start, start_cpu = time.perf_counter(), time.process_time()
    for batch in drawn:
        part = texts[batch * BATCH : (batch + 1) * BATCH]
        vectors.append(encode(tf.constant(part)).numpy())
    scale = batches / len(drawn)
    seconds = (time.perf_counter() - start) * scale
    cpu_s = (time.process_time() - start_cpu) * scale
    path = folder / f"plain-{repeat}.npy"
    np.save(path, np.concatenate(vectors))
    return Run(seconds, cpu_s, len(texts), len(texts), str(path))


def ours(stages: Stages, folder: Path, repeat: int) -> Run:
    """Runs the whole job with an empty cache."""
    import tensorflow  # noqa: F401  (outside of the time, as for the loop)

    from beam.text_embeddings import embed_texts
    from tfrs_app.data.text_embeddings import TextEmbeddings

    dataset, encoder = stages.dataset_folder, stages.text_encoder
    layout = Layout(root=folder / f"artifacts-{repeat}")
    start, start_cpu = time.perf_counter(), time.process_time()
    made = embed_texts(dataset, encoder, layout)
    seconds = time.perf_counter() - start
    cpu_s = time.process_time() - start_cpu
    found = TextEmbeddings.open(made)
    (feature,) = found.rows
    path = folder / f"ours-{repeat}.npy"
    np.save(path, found.of(feature))
    return Run(seconds, cpu_s, found.items, len(found.vectors), str(path))


WAYS = {"plain": plain, "ours": ours}


def drawn_batches(batches: int, repeat: int) -> list[int]:
    """Returns batches drawn at random, others in each repeat, never the last."""
    order = np.random.default_rng(0).permutation(batches - 1)
    drawn: list[int] = order[repeat * DRAWN : (repeat + 1) * DRAWN].tolist()
    return drawn


def lowest_cosine(runs: dict[str, list[Run]]) -> float:
    """Returns the least cosine between both ways over all drawn items."""
    ours_all = np.load(runs["ours"][0].vectors)
    batches = -(-len(ours_all) // BATCH)
    lowest = 1.0
    for repeat, run in enumerate(runs["plain"]):
        drawn = np.array(drawn_batches(batches, repeat))[:, np.newaxis]
        items = (drawn * BATCH + np.arange(BATCH)).ravel()
        lowest = min(lowest, least_cosine(np.load(run.vectors), ours_all[items]))
    return lowest


def least_cosine(one: np.ndarray, other: np.ndarray) -> float:
    """Returns the least cosine of paired rows `[n, dim]`."""
    products = (one * other).sum(axis=1)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float((products / lengths).min())


def report(runs: dict[str, list[Run]]) -> None:
    """Prints medians, ratios and the line of JSON."""
    seconds = medians(runs, "seconds")
    cpu_s = medians(runs, "cpu_s")
    first = runs["ours"][0]
    table = Table("", "texts", "s", "CPU s", "items/s", title=f"{first.items:,} items")
    for way, (run, *_) in runs.items():
        cells = (f"{seconds[way]:.1f}", f"{cpu_s[way]:.1f}")
        rate = f"{run.items / seconds[way]:,.0f}"
        table.add_row(way, f"{run.distinct:,}", *cells, rate)
    Console().print(table)
    print(f"plain: scaled from {REPEATS} x {DRAWN} batches of {BATCH} items")
    document = {
        "benchmark": "text_embedding",
        "ratios": {
            "catalogue_vs_plain": round(seconds["plain"] / seconds["ours"], 2),
            "catalogue_vs_plain_cpu": round(cpu_s["plain"] / cpu_s["ours"], 2),
        },
        "seconds": {way: round(value, 1) for way, value in seconds.items()},
        "lowest_cosine": round(lowest_cosine(runs), 6),
        "plain_scaled_from_items": REPEATS * DRAWN * BATCH,
    }
    print(json.dumps(document))


def medians(runs: dict[str, list[Run]], measure: str) -> dict[str, float]:
    """Returns the median of a measure for each way."""
    return {
        way: statistics.median(getattr(run, measure) for run in of_one)
        for way, of_one in runs.items()
    }


if __name__ == "__main__":
    main()
