"""Our ranker's training against the TFRS DCN tutorial on the same candidates.

    python benchmarks/ranking_training.py [configs/complete_journey.yaml] [--lists 1600]

Needs the shop's dataset and towers (`make demo`). The funnel proposes candidates for
users of the validation span, as in training; an example is one of them, a (query,
candidate) pair. All rivals have the same candidates, features, layers, dropout and Adam
and the same number of candidates a step, ours with one member. Each trains in a fresh
process, two epochs, of which the second is measured, input included; three repeats
interleaved, medians.
Examples a second of processor time stand beside: on a busy machine they say more.

- *plain DCN*: `training_rivals/plain_dcn.py`: rows of a TFRecord file, each parsed by
  itself.
- *plain DCN, cached*: the same, its batches parsed once and kept in memory, always the
  same ones, as the tutorial does with a data set that is small enough.
- *ours*: `RankingTraining.run_epoch` as `train ranking` runs it: lists, with a softmax
  over each, instead of rows.
"""

from __future__ import annotations

import argparse
import json
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config

if TYPE_CHECKING:
    from training_rivals.pace import Run

    from tfrs_app.training.ranking_examples import RankingExamples

REPEATS = 3
PLAIN, CACHED, OURS = "plain DCN", "plain DCN, cached", "ours"
RIVALS = (PLAIN, CACHED, OURS)
LISTS, ROWS = "lists.pickle", "rows.tfrecord"


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description="Times the ranker's training.")
    parser.add_argument("config", nargs="?", default="configs/complete_journey.yaml")
    parser.add_argument("--lists", type=int, default=1600)
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    config = load_config(Path(arguments.config), ["ranking.members=1"])
    stages = Stages(config, Console(stderr=True))
    if arguments.child:
        rival, folder = arguments.child
        print(json.dumps(asdict(trained(stages, rival, Path(folder)))))
        return
    runs: dict[str, list[dict[str, Any]]] = {rival: [] for rival in RIVALS}
    with tempfile.TemporaryDirectory() as folder:
        examples = write_examples(stages, arguments.lists, Path(folder))
        for _ in range(REPEATS):
            for rival in RIVALS:
                runs[rival].append(in_a_process(arguments.config, rival, folder))
    report(runs, examples)


def write_examples(stages: Stages, count: int, folder: Path) -> int:
    """Writes lists, and their candidates as rows; returns the candidates."""
    from training_rivals.plain_dcn import write_rows

    from tfrs_app.layers.grouping import NOTHING
    from tfrs_app.training.ranking_examples import ranking_examples
    from tfrs_app.training.runs import EARLIER_WEIGHTS, load_retrieval

    towers = load_retrieval(stages.run_folder, stages.encoded, weights=EARLIER_WEIGHTS)
    config = stages.ranking_config.model_copy(update={"earlier_days": 0.0})
    examples = ranking_examples(stages.encoded, towers, config)
    lists = examples.training.of(np.arange(min(count, len(examples.training.user))))
    write_rows(lists, folder / ROWS)
    few = replace(examples, training=lists)
    (folder / LISTS).write_bytes(pickle.dumps(few))
    return int((lists.row != NOTHING).sum())


def in_a_process(config: str, rival: str, folder: str) -> dict[str, Any]:
    """Measures in a fresh process."""
    finished = subprocess.run(
        [sys.executable, __file__, config, "--child", rival, folder],
        capture_output=True,
        text=True,
    )
    if finished.returncode:
        raise SystemExit(finished.stderr)
    measured: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return measured


def trained(stages: Stages, rival: str, folder: Path) -> Run:
    """Trains in this process."""
    from training_rivals import plain_dcn

    from tfrs_app.layers.grouping import NOTHING

    examples: RankingExamples = pickle.loads((folder / LISTS).read_bytes())
    lists, config = examples.training, stages.ranking_config
    if rival == OURS:
        return ours(stages, examples)
    candidates = int((lists.row != NOTHING).sum())
    return plain_dcn.train(
        lists,
        folder / ROWS,
        config,
        rows_a_step=round(candidates / len(lists.user) * config.batch_size),
        cached=rival == CACHED,
    )


def ours(stages: Stages, examples: RankingExamples) -> Run:
    """Trains two epochs as `train ranking` does and measures the second."""
    from training_rivals.pace import Run

    from tfrs_app.layers.grouping import NOTHING
    from tfrs_app.training.ranking import RankingTraining

    lists, config = examples.training, stages.ranking_config
    training = RankingTraining(stages.encoded, config, examples)
    training.run_epoch(0)
    began, began_cpu = time.perf_counter(), time.process_time()
    training.run_epoch(1)
    seen = len(lists.user) // config.batch_size * config.batch_size / len(lists.user)
    count = (lists.row != NOTHING).sum() * seen
    return Run(
        count / (time.perf_counter() - began),
        count / (time.process_time() - began_cpu),
        0.0,
    )


def report(runs: dict[str, list[dict[str, Any]]], examples: int) -> None:
    """Prints medians, ratios and the line of JSON."""
    medians = {
        measure: {
            rival: statistics.median(run[measure] for run in of_one)
            for rival, of_one in runs.items()
        }
        for measure in ("examples_per_s", "examples_per_cpu_s")
    }
    heads = ("examples/s", "examples/CPU s")
    table = Table("", *heads, title=f"{examples:,} candidates")
    for rival in RIVALS:
        table.add_row(rival, *(f"{rates[rival]:,.0f}" for rates in medians.values()))
    Console().print(table)
    ratios = {
        f"{measure}_vs_{name}": round(rates[OURS] / rates[rival], 2)
        for measure, rates in medians.items()
        for name, rival in (("plain_dcn", PLAIN), ("plain_dcn_cached", CACHED))
    }
    print(json.dumps({"benchmark": "ranking_training", "ratios": ratios} | medians))


if __name__ == "__main__":
    main()
