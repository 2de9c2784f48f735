"""`beam.prepare` on the demo against a row-wise Beam pipeline and a plain script.

    python benchmarks/prepare.py [--rows 10]

Three ways to make the same dataset, each run in a fresh process, interleaved, medians
of three wall times after imports; the row-wise pipeline takes a minute and runs once.
That one finds no co-purchases: tens of millions of pairs, one by one, would take it
many minutes. So it is compared with our job when baskets are too small for pairs.
All datasets must agree before a figure is printed. `--rows N` also makes the dataset of
N times the rows; 1 leaves it out.

Beam runs on its FnApiRunner, in one process, the project's default: `DirectRunner` in
Beam 2.77 hands batch pipelines to that same runner where it can, but first tries to
fetch another runner's binary from the network.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from prepare_rivals.demo import Tables
from rich.console import Console
from rich.table import Table

CONFIG = Path("configs/complete_journey.yaml")
REPEATS = {"ours": 3, "ours, no pairs": 3, "plain": 3, "rowwise": 1}
NO_PAIRS = "data.co_purchases.max_basket=2"


@dataclass(frozen=True)
class Run:
    """Holds what one process measured, and what its dataset holds."""

    rows: int
    seconds: float
    peak_gb: float
    facts: dict[str, Any]

    @property
    def rows_per_s(self) -> float:
        """Returns event rows a second."""
        return self.rows / self.seconds


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description="Times beam.prepare and its rivals.")
    parser.add_argument("--rows", type=int, default=10, help="further size, in demos")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        name, *paths = arguments.child
        print(json.dumps(asdict(measured(name, Tables(*map(Path, paths))))))
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments.rows, Path(folder))


def compare(times: int, folder: Path) -> None:
    """Runs everything and reports it."""
    demo = Tables.packaged()
    runs: dict[str, list[Run]] = {name: [] for name in REPEATS}
    for repeat in range(max(REPEATS.values())):
        for name in [name for name, repeats in REPEATS.items() if repeat < repeats]:
            runs[name].append(in_a_process(name, demo))
    check_agreement([run for of_one in runs.values() for run in of_one])
    if times > 1:
        more = demo.repeated(times, folder)
        runs[f"ours, {times} x"] = [in_a_process("ours", more)]
    report(runs, times)


def in_a_process(name: str, tables: Tables) -> Run:
    """Measures one way in a fresh process."""
    paths = [str(path) for path in asdict(tables).values()]
    command = [sys.executable, __file__, "--child", name, *paths]
    finished = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return Run(**json.loads(finished.stdout.splitlines()[-1]))


def measured(name: str, tables: Tables) -> Run:
    """Measures one way in this process."""
    run = WAYS[name]()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        made = run(tables, Path(folder))
        seconds = time.perf_counter() - start
        peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6  # from KB
        from prepare_rivals.facts import facts_of

        facts = facts_of(made, pairs=name in ("ours", "plain"))
        return Run(tables.rows, seconds, peak_gb, facts)


def ours(*overrides: str) -> Callable[[Tables, Path], Path]:
    """Returns this project's job."""
    from beam.prepare import prepare
    from tfrs_app.contract.loading import load_config

    def run(tables: Tables, folder: Path) -> Path:
        sources = [f"data.{k}.source={path}" for k, path in asdict(tables).items()]
        sets = [*sources, f"artifacts={folder}", *overrides]
        return prepare(load_config(CONFIG, sets))

    return run


def rowwise() -> Callable[[Tables, Path], Path]:
    """Returns the row-wise pipeline."""
    from prepare_rivals import rowwise

    return _returning_folder(rowwise.run)


def plain() -> Callable[[Tables, Path], Path]:
    """Returns the plain script."""
    from prepare_rivals import plain

    return _returning_folder(plain.run)


def _returning_folder(
    run: Callable[[Tables, Path], None],
) -> Callable[[Tables, Path], Path]:
    def wrapped(tables: Tables, folder: Path) -> Path:
        run(tables, folder)
        return folder

    return wrapped


WAYS = {
    "ours": ours,
    "ours, no pairs": lambda: ours(NO_PAIRS),
    "rowwise": rowwise,
    "plain": plain,
}


def check_agreement(runs: list[Run]) -> None:
    """Ends the benchmark if two datasets of the same rows differ."""
    for run in runs:
        differing = [k for k in run.facts if run.facts[k] != runs[0].facts.get(k)]
        if differing:
            pairs = {key: (runs[0].facts[key], run.facts[key]) for key in differing}
            raise SystemExit(f"the datasets differ, so times mean nothing: {pairs}")


def report(runs: dict[str, list[Run]], times: int) -> None:
    """Prints medians, ratios and the line of JSON."""
    table = Table("", "rows", "s", "rows/s", "peak GB", title="dataset of the demo")
    seconds = {n: statistics.median(r.seconds for r in rs) for n, rs in runs.items()}
    rate = {n: statistics.median(r.rows_per_s for r in rs) for n, rs in runs.items()}
    peak = {n: max(r.peak_gb for r in rs) for n, rs in runs.items()}
    for name, (run, *_) in runs.items():
        cells = (f"{run.rows:,}", f"{seconds[name]:.2f}", f"{rate[name]:,.0f}")
        table.add_row(name, *cells, f"{peak[name]:.2f}")
    Console().print(table)
    ratios = {
        "rows_per_s_vs_rowwise": round(rate["ours, no pairs"] / rate["rowwise"], 2),
        "rows_per_s_vs_plain_script": round(rate["ours"] / rate["plain"], 2),
    }
    if times > 1:
        larger = f"ours, {times} x"
        ratios[f"time_of_{times}x_rows"] = round(seconds[larger] / seconds["ours"], 2)
    document = {
        "benchmark": "prepare",
        "ratios": ratios,
        "rows_per_s": {name: round(value) for name, value in rate.items()},
        "peak_gb": {name: round(value, 2) for name, value in peak.items()},
    }
    print(json.dumps(document))


if __name__ == "__main__":
    main()
