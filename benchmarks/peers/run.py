"""Runs every rival that has no result yet, then judges all.

    python -m benchmarks.peers.run CONFIG PYTHON_OF_THE_PEERS

Each step is a process of its own and leaves a file behind; a file that is there is not
made again. Remove `artifacts/peers` to begin anew.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console

from benchmarks.peers.files import MEASURED, META, TARGETS, TRAINED, TUNED
from benchmarks.peers.ours import PARTS
from benchmarks.peers.rival import THREADS
from benchmarks.peers.rivals import RIVALS, Rival
from tfrs_app.cli.options import stages_of

THREAD_LIMITS = {
    name: str(THREADS)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
}
# Threads that wait for each other must not burn the CPU time that is compared: on a
# loaded machine SASRec's training so took seven times as much.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}


def main() -> None:
    """Prepares, asks, runs and judges."""
    config, peers_python = sys.argv[1:]
    stages = stages_of(Path(config), None)
    stages.prepare()
    folder = stages.layout.root.parent / "peers" / stages.dataset_folder.name
    runner = Runner(config, folder, peers_python)
    if not (folder / META).is_file():
        runner.ours("questions", config, str(folder))
    for rival in RIVALS:
        runner.run(rival)
    results = f"benchmarks/peers/results/{stages.config.shop}.json"
    runner.ours("results", str(folder), results)
    runner.ours("table", results, "docs/peers.md")


class Runner:
    """Starts processes.

    Args:
        config: the shop's YAML.
        folder: of the questions and answers.
        peers_python: the interpreter of the peers' environment.
    """

    def __init__(self, config: str, folder: Path, peers_python: str) -> None:
        self._config, self._folder = config, folder
        self._peers_python = peers_python
        self._console = Console(highlight=False)

    def run(self, rival: Rival) -> None:
        """Makes what a rival lacks."""
        own = self._folder / rival.name
        if rival.ours:
            trained = self._train(PARTS[rival.name])
            if trained or not (own / TUNED).is_file():
                arguments = ("answer", rival.name, self._config, str(self._folder))
                self.ours("ours", *arguments)
            return
        if not (own / TUNED).is_file():
            self._process(rival, "tune")
        tuned = json.loads((own / TUNED).read_text(encoding="utf-8"))
        for targets in alike(tuned["chosen"]):
            if not all((own / MEASURED.format(target=t)).is_file() for t in targets):
                self._process(rival, "answer", targets)

    def ours(self, module: str, *arguments: str) -> None:
        """Runs a module of this folder in this environment."""
        self._start([sys.executable, "-m", f"benchmarks.peers.{module}", *arguments])

    def _train(self, parts: Iterable[str]) -> bool:
        """Trains what was not trained here; tells whether there was anything."""
        missing = [
            part
            for part in parts
            if not (self._folder / TRAINED.format(part=part)).is_file()
        ]
        for part in missing:
            self.ours("ours", "train", part, self._config, str(self._folder))
        return bool(missing)

    def _process(self, rival: Rival, step: str, targets: Iterable[str] = ()) -> None:
        own_environment = rival.environment == ".venv"
        python = sys.executable if own_environment else self._peers_python
        module = "benchmarks.peers.process"
        words = [step, rival.name, str(self._folder), *targets]
        self._start([python, "-m", module, *words])

    def _start(self, command: list[str]) -> None:
        self._console.print(f"== {' '.join(command[2:])}")
        environment = {**os.environ, **THREAD_LIMITS, **WAITING}
        subprocess.run(command, check=True, env=environment)


def alike(chosen: dict[str, dict[str, object]]) -> list[list[str]]:
    """Returns the targets in groups that chose the same setting and rounds."""
    groups: dict[str, list[str]] = {}
    for target in TARGETS:
        choice = {k: v for k, v in chosen[target].items() if k != "ndcg"}
        groups.setdefault(json.dumps(choice, sort_keys=True), []).append(target)
    return list(groups.values())


if __name__ == "__main__":
    main()
