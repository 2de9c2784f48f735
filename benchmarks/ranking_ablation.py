"""What the ranker's view of the history is worth: counted by hand, attended, or both.

    python benchmarks/ranking_ablation.py [configs/complete_journey.yaml] [--seeds 1]
        [--only NAME]... [--test] [--set KEY=VALUE]...

Needs the shop's trained towers (`tfrs-app run -c CONFIG`). All variants learn from the
same lists, in turn with one seed, then with the next. Each gets the NDCG@20 of the
held-out users' lists, by which early stopping chose its epoch; with `--test` also the
funnel's on the test window, exported as of its first moment.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from tfrs_app.cli.evaluation import FUNNEL, contestants
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config

if TYPE_CHECKING:
    from tfrs_app.training.ranking_examples import RankingExamples

ATTENDED = "ranking.target_attention={}"
PLAIN = "ranking.target_attention=null"
COUNTED = "ranking.cross_features=true"
UNCOUNTED = "ranking.cross_features=false"
VARIANTS = {
    "neither": [UNCOUNTED, PLAIN],
    "cross features": [COUNTED, PLAIN],
    "target attention": [UNCOUNTED, ATTENDED],
    "both": [COUNTED, ATTENDED],
}

Scores = dict[str, float]


def trained(stages: Stages, examples: RankingExamples) -> Scores:
    """Trains one variant and returns what it came to."""
    import tensorflow as tf

    from tfrs_app.training.ranking import VALIDATION_K, RankingTraining

    config = stages.ranking_config
    tf.keras.utils.set_random_seed(config.seed)
    training = RankingTraining(stages.encoded, config, examples)
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        progress = training.run(Path(folder), stages.console.print)
        seconds = (time.perf_counter() - began) / progress.epochs_done
    stages.__dict__["ranker"] = training.model
    ndcg = training.measured()[f"ndcg@{VALIDATION_K}"]
    return {"held out": ndcg, "s/epoch": seconds}


def tested(stages: Stages) -> Scores:
    """Returns the funnel's NDCG@20 on the test window, by target."""
    from tfrs_app.evaluation.comparison import Contest
    from tfrs_app.evaluation.protocol import Target

    contest = Contest(
        stages.encoded.dataset, stages.config.evaluation, stages.console.print
    )
    with contestants(stages) as models:
        funnel = models.models[FUNNEL]
        results = contest.measure(FUNNEL, dict.fromkeys(Target, funnel))
        return {one.target.value: one.metrics["ndcg@20"] for one in results}


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", default="configs/complete_journey.yaml")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], choices=VARIANTS)
    parser.add_argument("--test", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    scores: dict[str, list[Scores]] = defaultdict(list)
    shipped = staged(arguments.config, [*arguments.set, *VARIANTS["both"]])
    examples, counted = examples_of(shipped)
    for seed in range(arguments.seeds):
        for name in arguments.only or VARIANTS:
            overrides = [*arguments.set, *VARIANTS[name], f"ranking.seed={seed}"]
            stages = staged(arguments.config, overrides)
            stages.__dict__.update(encoded=shipped.encoded, towers=shipped.towers)
            dropped = 0 if stages.ranking_config.cross_features else counted
            found = trained(stages, without(examples, dropped))
            if arguments.test:
                found |= tested(stages)
            scores[name].append(found)
            stages.console.print(f"{name}, seed {seed}: {found}")
    report(Path(arguments.config).stem, scores)


def staged(config: str, overrides: list[str]) -> Stages:
    """Returns the stages of a config."""
    return Stages(load_config(Path(config), overrides), Console(stderr=True))


def examples_of(stages: Stages) -> tuple[RankingExamples, int]:
    """Returns the lists, and how many of their leading columns are counted by hand."""
    from tfrs_app.training.ranking_examples import as_served, ranking_examples
    from tfrs_app.training.runs import EARLIER_WEIGHTS, load_retrieval

    encoded, config = stages.encoded, stages.ranking_config
    towers = load_retrieval(stages.run_folder, encoded, weights=EARLIER_WEIGHTS)
    _, funnel = as_served(encoded, towers, config)
    assert funnel.cross is not None
    examples = ranking_examples(encoded, towers, config, stages.shown_lists())
    return examples, len(funnel.cross.names)


def without(examples: RankingExamples, columns: int) -> RankingExamples:
    """Returns the same lists without their first columns."""
    training, held_out = (
        replace(lists, features=lists.features[..., columns:])
        for lists in (examples.training, examples.held_out)
    )
    return replace(examples, training=training, held_out=held_out)


def report(shop: str, scores: dict[str, list[Scores]]) -> None:
    """Prints the means, each seed's held-out figure and the line of JSON."""
    columns = list(next(iter(scores.values()))[0])
    table = Table("variant", *columns, "held out, each seed")
    document = {}
    for name, found in scores.items():
        means = {c: statistics.mean(one[c] for one in found) for c in columns}
        each = " ".join(f"{one['held out']:.4f}" for one in found)
        table.add_row(name, *(f"{mean:.4f}" for mean in means.values()), each)
        document[name] = {c: round(mean, 4) for c, mean in means.items()}
    Console().print(table)
    line = {"benchmark": "ranking_ablation", "shop": shop, "ndcg@20": document}
    sys.stdout.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
