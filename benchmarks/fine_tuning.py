"""A frozen text encoder against a fine-tuned one: quality, time and memory.

    python benchmarks/fine_tuning.py [configs/online_retail.yaml] [--set KEY=VALUE]...

Needs the shop's dataset (`tfrs-app prepare -c CONFIG`). Each mode trains the shipped
config in a process of its own, one after the other, with the encoder in float32.
Memory is the process' peak; time is that of the training's epochs alone, each with its
validation, without the catch-up.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config

MODES = {
    "frozen": ["text.mode=frozen"],
    "top_layers: 2": ["text.mode=top_layers", "text.top_layers=2"],
    "full": ["text.mode=full"],
}


def measure(config: str, overrides: list[str]) -> dict[str, float]:
    """Trains one mode and returns what it took and came to."""
    from tfrs_app.evaluation.protocol import Target, ask
    from tfrs_app.evaluation.ranking import evaluate
    from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
    from tfrs_app.training.retrieval import train_retrieval
    from tfrs_app.training.runs import load_retrieval

    console = Console(stderr=True)
    stages = Stages(load_config(Path(config), overrides), console)
    stages.embed_texts()
    moments: list[float] = [time.perf_counter()]

    def report(line: str) -> None:
        console.print(line, markup=False)
        if "validation ndcg" in line or line.startswith("epoch 1 of"):
            moments.append(time.perf_counter())

    retrieval = stages.config.retrieval
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        manifest = train_retrieval(
            stages.encoded, retrieval, run, report, stages.fine_tuning
        )
        model = load_retrieval(run, stages.encoded)
    log, split = stages.encoded.dataset.events, stages.encoded.dataset.split
    target, k = Target(retrieval.validation_target), retrieval.validation_k
    scorer = RetrievalScorer(model, stages.encoded.reader(retrieval.longest_history))
    question = ask(log, target, split.test_start, split.test_end)
    return {
        "validation": manifest.counts[f"validation_ndcg@{k}"],
        "test": evaluate(scorer, question, (k,))[f"ndcg@{k}"],
        "best_epoch": manifest.counts["best_epoch"],
        "epoch_s": (moments[-1] - moments[1]) / manifest.counts["epochs"],
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
    }


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", default="configs/online_retail.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        found = measure(arguments.config, arguments.set)
        sys.stdout.write(json.dumps(found) + "\n")
        return
    results = {}
    for name, mode in MODES.items():
        overrides = ["text.precision=float32", *mode, *arguments.set]
        child = [sys.executable, __file__, arguments.config, "--child"]
        child += [part for override in overrides for part in ("--set", override)]
        done = subprocess.run(child, stdout=subprocess.PIPE, text=True, check=True)
        results[name] = json.loads(done.stdout.splitlines()[-1])
    report_all(results)


def report_all(results: dict[str, dict[str, float]]) -> None:
    """Prints each mode's figures and the line of JSON."""
    table = Table("mode", "validation", "test", "best epoch", "s/epoch", "peak GB")
    for name, found in results.items():
        table.add_row(
            name,
            f"{found['validation']:.4f}",
            f"{found['test']:.4f}",
            f"{found['best_epoch']:.0f}",
            f"{found['epoch_s']:.0f}",
            f"{found['peak_gb']:.1f}",
        )
    Console().print(table)
    sys.stdout.write(json.dumps({"benchmark": "fine_tuning", **results}) + "\n")


if __name__ == "__main__":
    main()
