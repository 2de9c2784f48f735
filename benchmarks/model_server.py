"""Our server against an in-process loop over the same callable, and the obvious one.

    python benchmarks/model_server.py [configs/complete_journey.yaml] [--seconds 5]
        [--rounds 3] [--cores 0 1]

Needs the shop's published model (`make demo`). Users of the test window are drawn at
random. The server, the loop (the limit: batches of as many users as there are
connections, prepared beforehand) and the obvious server (grpcio, eager signature,
`tf.make_ndarray`) share the first core and take turns; the load generator, a process of
its own without TensorFlow, has the second. Last, a server of two workers has a core for
each; its second shares with the generator, which over REST takes a few hundredths.
Rates are medians of the rounds' ratios; the processor time a request beside them does
not suffer from neighbours.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from serving_load.messages import SIGNATURES

CONNECTIONS = 32
QUESTIONS = 2000
SHARE_OF_CAPACITY = 0.7
HERE = Path(__file__).parent
BATCHING = HERE.parent / "serving/deploy/config/batching.config"
LIMIT, GRPC, REST, NAIVE, PAIR = "limit", "grpc", "rest", "naive", "rest, two workers"


def main() -> None:
    """Prints a table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description="Measures the embedded server.")
    parser.add_argument("config", nargs="?", default="configs/complete_journey.yaml")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cores", type=int, nargs=2, default=[0, 1])
    arguments = parser.parse_args()
    console = Console(stderr=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        version = _questions(arguments.config, folder)
        rivals = Rivals(version, Path(folder), arguments, stack)
        for name in SIGNATURES:  # first calls pay for what is made once
            rivals.measured(name)
        rounds = [
            {name: rivals.measured(name) for name in SIGNATURES}
            for _ in range(arguments.rounds)
        ]
        calm = {
            protocol: rivals.calm(protocol, rounds[-1]["recommend"][protocol]["qps"])
            for protocol in (GRPC, REST)
        }
    report(rounds, calm, console)


class Rivals:
    """The processes that take turns."""

    def __init__(
        self, version: Path, folder: Path, options: Any, stack: ExitStack
    ) -> None:
        self.folder, self.options = folder, options
        self.core, self.client_core = options.cores
        self.limit = self._started(
            stack, "limit.py", version, folder, CONNECTIONS, self.core
        )
        _answer(self.limit)
        self.naive = self._started(stack, "naive.py", version, self.core)
        naive = f"127.0.0.1:{_answer(self.naive)['port']}"
        self.server = self._server(stack, version, f"{self.core}")
        self.pair = self._server(
            stack, version, f"{self.core},{self.client_core}", "--workers=2"
        )
        words = self.server.stdout.readline().replace(",", " ").split()
        of_pair = self.pair.stdout.readline().replace(",", " ").split()
        self.addresses = {
            GRPC: words[words.index("gRPC") + 1],
            REST: words[words.index("REST") + 1],
            NAIVE: naive,
            PAIR: of_pair[of_pair.index("REST") + 1],
        }

    def measured(self, signature: str) -> dict[str, dict[str, float]]:
        """Returns what each rival does in its turn of one round."""
        told = {LIMIT: self._limit(signature)}
        names = (GRPC, REST, PAIR, NAIVE) if signature == "recommend" else (GRPC, REST)
        for name in names:
            told[name] = self._asked(name, signature, 0)
        return told

    def calm(self, protocol: str, capacity: float) -> dict[str, float]:
        """Returns latencies at a constant rate, a share of the capacity."""
        return self._asked(protocol, "recommend", SHARE_OF_CAPACITY * capacity)

    def _limit(self, signature: str) -> dict[str, float]:
        self.limit.stdin.write(f"{signature} {self.options.seconds}\n")
        self.limit.stdin.flush()
        return _answer(self.limit)

    def _asked(self, name: str, signature: str, rate: float) -> dict[str, float]:
        process = {NAIVE: self.naive, PAIR: self.pair}.get(name, self.server)
        before = _cpu_seconds(process.pid)
        protocol = REST if name in {REST, PAIR} else GRPC
        done = subprocess.run(
            [
                sys.executable,
                str(HERE / "serving_load/generator.py"),
                protocol,
                self.addresses[name],
                str(self.folder / f"{signature}.{protocol}"),
                *map(str, (CONNECTIONS, self.options.seconds, rate, self.client_core)),
            ],
            check=True,
            stdout=subprocess.PIPE,
        )
        told: dict[str, float] = json.loads(done.stdout)
        used = _cpu_seconds(process.pid) - before
        return {**told, "cpu": used / told["asked"]}

    def _started(self, stack: ExitStack, script: str, *arguments: Any) -> Any:
        command = [sys.executable, str(HERE / "serving_load" / script)]
        return self._process(stack, [*command, *map(str, arguments)])

    def _server(self, stack: ExitStack, version: Path, cores: str, *flags: str) -> Any:
        return self._process(
            stack,
            [
                "taskset", "-c", cores, sys.executable, "-m", "serving.server",
                "--model_name", version.parent.name,
                "--model_base_path", str(version.parent),
                "--port=auto",
                "--rest_api_port=auto",
                "--enable_batching", f"--batching_parameters_file={BATCHING}",
                *flags,
            ],
        )  # fmt: skip

    def _process(self, stack: ExitStack, command: list[str]) -> Any:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        return process


def _questions(config: str, folder: str) -> Path:
    """Writes the requests and returns the folder of the version to serve."""
    # In a process of its own, since it loads the dataset.
    command = [sys.executable, str(HERE / "serving_load/questions.py")]
    done = subprocess.run(
        [*command, config, folder, str(QUESTIONS)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Path(done.stdout.splitlines()[-1]).resolve()


def report(
    rounds: list[dict[str, Any]], calm: dict[str, Any], console: Console
) -> None:
    """Prints medians of the rounds and the ratios."""
    table = Table(
        "signature", "what", "users/s", "CPU ms", "p50 ms", "p99 ms", "errors"
    )
    ratios, cpu_ratios = defaultdict(list), defaultdict(list)
    for signature in SIGNATURES:
        for name in rounds[0][signature]:
            told = [one[signature][name] for one in rounds]
            table.add_row(signature, name, *map(str, _medians(told)))
        for one in (r[signature] for r in rounds):
            for name in (GRPC, REST):
                key = f"{signature}_{name}_vs_limit"
                ratios[key].append(one[name]["qps"] / one[LIMIT]["qps"])
                cpu_ratios[key].append(one[LIMIT]["cpu"] / one[name]["cpu"])
            if NAIVE in one:
                key = "recommend_grpc_vs_naive"
                ratios[key].append(one[GRPC]["qps"] / one[NAIVE]["qps"])
                cpu_ratios[key].append(one[NAIVE]["cpu"] / one[GRPC]["cpu"])
                ratios["recommend_two_workers_vs_one"].append(
                    one[PAIR]["qps"] / one[REST]["qps"]
                )
    for name, told in calm.items():
        table.add_row(f"recommend, {name}", "70 % load", *map(str, _medians([told])))
    console.print(table)
    console.print(f"load of the machine: {os.getloadavg()}")
    latency = {
        f"recommend_{name}_p99_over_median": round(told["p99_ms"] / told["p50_ms"], 2)
        for name, told in calm.items()
    }
    document = {
        "benchmark": "model_server",
        "ratios": {**_rounded(ratios), **latency},
        "ratios_of_cpu_time": _rounded(cpu_ratios),
    }
    sys.stdout.write(json.dumps(document) + "\n")


def _medians(told: list[dict[str, float]]) -> list[float | str]:
    def median(key: str) -> float | str:
        values = [one[key] for one in told if key in one]
        return round(statistics.median(values), 2) if values else ""

    cpu = round(statistics.median(one["cpu"] for one in told) * 1e3, 3)
    return [median("qps"), cpu, median("p50_ms"), median("p99_ms"), median("errors")]


def _rounded(ratios: dict[str, list[float]]) -> dict[str, float]:
    return {name: round(statistics.median(r), 3) for name, r in ratios.items()}


def _answer(process: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def _cpu_seconds(pid: int) -> float:
    """Returns the processor time of a process and of those that it started."""
    process = Path(f"/proc/{pid}")
    fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = [
        int(child)
        for thread in (process / "task").iterdir()
        for child in (thread / "children").read_text().split()
    ]
    return own + sum(map(_cpu_seconds, children))


if __name__ == "__main__":
    main()
