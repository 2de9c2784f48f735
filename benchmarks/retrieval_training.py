"""Our trainer against the TensorFlow Recommenders tutorial on a shop's dataset.

    python benchmarks/retrieval_training.py [configs/complete_journey.yaml]
        [--steps 290] [--variants]

Needs the shop's dataset (`make demo`). All train at batch 4096 and dimension 64, each
in a fresh process, three repeats interleaved. An example is one (query, bought item)
pair that the loss counts. Examples a second are those of steady state, input pipeline
included; medians. Those a second of processor time stand beside: on a busy machine
they say more. `--steps` is how long the first repeat of the tutorial and of ours takes
before their losses are compared, about an epoch; the other repeats are shorter.

- *tutorial*: two towers of ids, as `training_rivals/tutorial.py` says.
- *tutorial, metrics*: the same with its FactorizedTopK over the whole catalogue in
  the training step; so slow that one step after the first must do.
- *ours*: what is nearest to it in function: towers without hidden layers, ids in the
  history, the batch's own negatives. It still does more (a history of 50 events
  instead of a user's id, items' categories, profile, time, logQ). The named ratios
  are this one's.
- *ours, shipped*: the shop's own `retrieval:` section but for batch and dimension.

The loss is that of `training_rivals/heldout.py`, nats on purchases of the validation
span: a ratio means something only where ours is no worse. `--variants` runs both of
ours under other settings of TensorFlow instead, which say nothing of the tutorial.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from rich.console import Console
from rich.table import Table
from training_rivals.variants import AS_IT_IS, VARIANTS

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config
from tfrs_app.contract.retrieval_config import RetrievalConfig

if TYPE_CHECKING:
    from training_rivals.pace import Run

REPEATS = 3
BATCH_SIZE = 4096
DIM = 64
STEPS_FOR_PACE = 30
NEAREST = RetrievalConfig(
    query_layers=(),
    candidate_layers=(),
    history_content=False,
    id_dropout=0.0,
    uniform_negatives=0,
    learning_rate=0.01,
)
STEPS_WITH_METRICS = 2
TUTORIAL, WITH_METRICS = "tutorial", "tutorial, metrics"
OURS, SHIPPED = "ours", "ours, shipped"
RATIOS = {
    "examples_per_s_vs_tfrs_tutorial": (OURS, TUTORIAL),
    "examples_per_s_vs_tfrs_tutorial_with_metrics": (OURS, WITH_METRICS),
    "shipped_examples_per_s_vs_tfrs_tutorial": (SHIPPED, TUTORIAL),
    "shipped_examples_per_s_vs_tfrs_tutorial_with_metrics": (SHIPPED, WITH_METRICS),
}

Measured: TypeAlias = dict[str, Any]
"""The fields of a `Run`."""


@dataclass(frozen=True)
class Training:
    """Says what one process trains."""

    config: str
    rival: str
    variant: str
    repeat: int
    steps: int
    """The loss is measured after them; 0: only the pace, after fewer."""


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description="Times our training and its rivals.")
    parser.add_argument("config", nargs="?", default="configs/complete_journey.yaml")
    parser.add_argument("--steps", type=int, default=290)
    parser.add_argument("--variants", action="store_true")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        print(json.dumps(asdict(trained(Training(**json.loads(arguments.child))))))
    elif arguments.variants:
        ours = (OURS, SHIPPED)
        report_variants(interleaved(arguments.config, ours, tuple(VARIANTS), {}))
    else:
        rivals = (TUTORIAL, WITH_METRICS, OURS, SHIPPED)
        steps = {TUTORIAL: arguments.steps, OURS: arguments.steps}
        report(interleaved(arguments.config, rivals, (AS_IT_IS,), steps))


def interleaved(
    config: str,
    rivals: tuple[str, ...],
    variants: tuple[str, ...],
    steps: dict[str, int],
) -> dict[tuple[str, str], list[Measured]]:
    """Runs everything three times in turn; what fails is told and left out.

    Args:
        config: path of the shop's.
        rivals: to run.
        variants: to run each of them under.
        steps: after which the first repeat of a rival measures its loss.
    """
    runs: dict[tuple[str, str], list[Measured]] = {}
    for repeat in range(REPEATS):
        for rival in rivals:
            for variant in variants:
                if repeat and (rival, variant) not in runs:
                    continue  # it failed
                wanted = steps.get(rival, 0) if repeat == 0 else 0
                run = in_a_process(Training(config, rival, variant, repeat, wanted))
                if run is not None:
                    runs.setdefault((rival, variant), []).append(run)
    return runs


def in_a_process(training: Training) -> Measured | None:
    """Measures in a fresh process; a setting that fails is told and gives None."""
    finished = subprocess.run(
        [sys.executable, __file__, "--child", json.dumps(asdict(training))],
        capture_output=True,
        text=True,
        env={**os.environ, **VARIANTS[training.variant].environment},
    )
    if finished.returncode == 0:
        measured: Measured = json.loads(finished.stdout.splitlines()[-1])
        return measured
    if training.variant == AS_IT_IS:
        raise SystemExit(finished.stderr)
    last = [line for line in finished.stderr.splitlines() if line.strip()][-1:]
    print(f"{training.rival}, {training.variant}: {''.join(last)[:200]}")
    return None


def trained(training: Training) -> Run:
    """Trains in this process."""
    variant = VARIANTS[training.variant]
    stages = Stages(load_config(Path(training.config)), Console(stderr=True))
    from training_rivals import ours, tutorial

    from tfrs_app.data.dataset import Dataset

    variant.apply()
    steps = training.steps or STEPS_FOR_PACE
    if training.rival in (TUTORIAL, WITH_METRICS):
        with_metrics = training.rival == WITH_METRICS
        return tutorial.train(
            Dataset.open(stages.dataset_folder),
            dim=DIM,
            batch_size=BATCH_SIZE,
            steps=STEPS_WITH_METRICS if with_metrics else steps,
            seed=training.repeat,
            with_metrics=with_metrics,
            with_loss=training.steps > 0,
        )
    section = stages.config.retrieval if training.rival == SHIPPED else NEAREST
    equal = {"embedding_dim": DIM, "batch_size": BATCH_SIZE, "seed": training.repeat}
    return ours.train(
        stages.encoded,
        section.model_copy(update=equal),
        steps=steps,
        with_loss=training.steps > 0,
        jit_compile=variant.jit_compile,
    )


def median(runs: list[Measured], measure: str) -> float:
    """Returns the median of one measure."""
    return float(statistics.median(run[measure] for run in runs))


def report(runs: dict[tuple[str, str], list[Measured]]) -> None:
    """Prints medians, ratios and the line of JSON."""
    rate, cpu_rate = (
        {name: median(rs, measure) for (name, _), rs in runs.items()}
        for measure in ("examples_per_s", "examples_per_cpu_s")
    )
    losses = {name: first["losses"] for (name, _), (first, *_) in runs.items()}
    title = f"batch {BATCH_SIZE}, dimension {DIM}"
    heads = ("examples/s", "examples/CPU s", "loss, all", "loss, first")
    table = Table("", *heads, title=title)
    for name, value in rate.items():
        cells = [f"{loss:.4f}" for loss in losses[name].values()]
        table.add_row(name, f"{value:,.0f}", f"{cpu_rate[name]:,.0f}", *cells)
    Console().print(table)
    document = {
        "benchmark": "retrieval_training",
        "ratios": {
            name: round(rate[one] / rate[other], 2)
            for name, (one, other) in RATIOS.items()
        },
        "cpu_ratios": {
            name: round(cpu_rate[one] / cpu_rate[other], 2)
            for name, (one, other) in RATIOS.items()
        },
        "examples_per_s": {name: round(value) for name, value in rate.items()},
        "losses": {
            name: {target: round(loss, 4) for target, loss in of_one.items()}
            for name, of_one in losses.items()
            if of_one
        },
        "epoch_start_s": {
            name: round(median(rs, "start_s"), 2) for (name, _), rs in runs.items()
        },
    }
    print(json.dumps(document))


def report_variants(runs: dict[tuple[str, str], list[Measured]]) -> None:
    """Prints medians and each variant's pace against that without any setting."""
    table = Table("", "setting", "examples/s", "ratio", "examples/CPU s")
    ratios = {}
    for (name, variant), of_one in runs.items():
        rate = median(of_one, "examples_per_s")
        ratio = rate / median(runs[name, AS_IT_IS], "examples_per_s")
        cells = (f"{rate:,.0f}", f"{ratio:.2f}")
        cpu_rate = median(of_one, "examples_per_cpu_s")
        table.add_row(name, variant, *cells, f"{cpu_rate:,.0f}")
        ratios[f"{name}, {variant}"] = round(ratio, 2)
    Console().print(table)
    print(json.dumps({"benchmark": "retrieval_training_variants", "ratios": ratios}))


if __name__ == "__main__":
    main()
