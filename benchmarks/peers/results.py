"""Judges everybody's lists and writes the results.

    python -m benchmarks.peers.results FOLDER RESULTS.json

A rival without lists of both targets is left out, and said so.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.files import (
    ANSWERS,
    LISTS,
    MEASURED,
    META,
    TARGETS,
    TUNED,
)
from benchmarks.peers.judge import (
    RESAMPLES,
    Answers,
    check,
    interval_of,
    metrics_of,
    resampled_means,
)
from benchmarks.peers.rival import BUDGET_CPU_S, THREADS
from benchmarks.peers.rivals import FUNNEL, RIVALS, Rival

SHOWN = ("ndcg@20", "recall@20", "recall@100", "mrr")
COMPARED = "ndcg@20"
COMMAND = "make peers"


def main() -> None:
    """Writes the results of all rivals that have lists."""
    folder, path = Path(sys.argv[1]), Path(sys.argv[2])
    document = judged(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(f"results {path}")


def judged(folder: Path) -> dict[str, Any]:
    """Returns everybody's metrics, what they took and who they were.

    Raises:
        SystemExit: the funnel, with which all are compared, has no lists.
    """
    meta = json.loads((folder / META).read_text(encoding="utf-8"))
    with np.load(folder / ANSWERS) as arrays:
        answers = {target: Answers.of(arrays, target) for target in TARGETS}
    funnel = folder / FUNNEL / LISTS.format(target=TARGETS[-1])
    if not funnel.is_file():
        raise SystemExit(f"{funnel} is absent; run `{COMMAND}` again")
    draws = {
        target: resampled_means(
            _metrics(folder, FUNNEL, target, answers[target], meta["items"])[COMPARED]
        )
        for target in TARGETS
    }
    done = [rival for rival in RIVALS if finished(folder, rival)]
    return {
        "format": 1,
        "shop": meta["shop"],
        "dataset": meta["dataset"],
        "users": {target: len(answers[target].user) for target in TARGETS},
        "items": meta["items"],
        "events": meta["events"],
        "command": COMMAND,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine(),
        "threads": THREADS,
        "tuning_budget_cpu_s": BUDGET_CPU_S,
        "resamples": RESAMPLES,
        "rivals": [_rival(folder, r, answers, draws, meta["items"]) for r in done],
    }


def finished(folder: Path, rival: Rival) -> bool:
    """Tells whether a rival has all its lists, and says so if not."""
    measured = [MEASURED.format(target=target) for target in TARGETS]
    whole = all((folder / rival.name / path).is_file() for path in measured)
    if not whole:
        print(f"{rival.title} has not finished; run `{COMMAND}` to go on")
    return whole


def machine() -> str:
    """Describes this machine in words."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.split(":", 1)[1].strip() for line in lines if "model name" in line]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{os.cpu_count()} cores ({models[0] if models else platform.machine()}), "
        f"{memory:.0f} GiB of memory, no GPU used, Python {platform.python_version()}"
    )


def _rival(
    folder: Path,
    rival: Rival,
    answers: dict[str, Answers],
    funnel: dict[str, np.ndarray],
    items: int,
) -> dict[str, Any]:
    tuned = json.loads((folder / rival.name / TUNED).read_text(encoding="utf-8"))
    targets = {}
    for target in TARGETS:
        path = folder / rival.name / MEASURED.format(target=target)
        taken = json.loads(path.read_text(encoding="utf-8"))
        found = _metrics(folder, rival.name, target, answers[target], items)
        means = {name: resampled_means(found[name]) for name in SHOWN}
        chosen = tuned["chosen"].get(target, {})
        targets[target] = {
            "metrics": {name: _rounded(found[name].mean()) for name in SHOWN},
            "intervals": {n: _pair(interval_of(means[n])) for n in SHOWN},
            "minus_funnel": _pair(interval_of(means[COMPARED] - funnel[target])),
            "validation": chosen.get("ndcg"),
            **taken,
        }
    packages = targets[TARGETS[0]]["packages"]
    return {
        "name": rival.name,
        "title": rival.title,
        "environment": rival.environment,
        "packages": packages,
        "tuning": {k: tuned[k] for k in ("tried", "not_tried", "cpu_s")},
        "targets": {t: _without(found, "packages") for t, found in targets.items()},
    }


def _metrics(
    folder: Path, name: str, target: str, answers: Answers, items: int
) -> dict[str, np.ndarray]:
    with np.load(folder / name / LISTS.format(target=target)) as arrays:
        lists = arrays["lists"]
    try:
        check(lists, answers, items)
    except ValueError as error:
        raise SystemExit(f"{name} on {target}: {error}") from error
    return metrics_of(lists, answers)


def _pair(interval: tuple[float, float]) -> list[float]:
    return [_rounded(bound) for bound in interval]


def _rounded(value: float) -> float:
    return round(float(value), 6)


def _without(document: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != key}


if __name__ == "__main__":
    main()
