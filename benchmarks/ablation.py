"""What each ingredient of the towers is worth: the shipped config, less one at a time.

    python benchmarks/ablation.py [configs/online_retail.yaml] [--seeds 1]
                                  [--only NAME]... [--set KEY=VALUE]...

Needs the shop's dataset and embedded texts (`tfrs-app run -c CONFIG`). All variants are
trained in turn with one seed, then with the next. Each gets the best validation
NDCG that early stopping found, and the NDCG on the test window of the model that
training ends with. A difference is worth no more than what another seed does to the
shipped config, which the table shows too when there are several.
"""

import argparse
import json
import statistics
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.loading import load_config

SHIPPED = "shipped"
NO_TEXT = "no text"
SAMPLED = "retrieval.uniform_negatives=1024"
IN_BATCH = "retrieval.uniform_negatives=0"
NO_LOG_Q = "retrieval.log_q=none"
VARIANTS: dict[str, list[str]] = {
    SHIPPED: [],
    "history: attention": ["retrieval.history_encoder=attention"],
    "history: gru": ["retrieval.history_encoder=gru"],
    "history: transformer": ["retrieval.history_encoder=transformer"],
    "history: ids only": ["retrieval.history_content=false"],
    NO_TEXT: [],
    "mixed negatives": [SAMPLED],
    "mixed negatives, no logQ": [SAMPLED, NO_LOG_Q],
    "in-batch negatives": [IN_BATCH],
    "in-batch negatives, no logQ": [IN_BATCH, NO_LOG_Q],
    "no id dropout": ["retrieval.id_dropout=0"],
    "no history dropout": ["retrieval.history_dropout=0"],
    "no norm penalty": ["retrieval.norm_penalty=0"],
    "no trends": ["retrieval.trend_days=[]"],
    "no factors": ["retrieval.factors=null"],
    "repeats count whole": ["retrieval.repeat_weight=1"],
    "examples decay in 90 days": ["retrieval.example_half_life_days=90"],
    "no neighbours by text": ["retrieval.text_neighbours=0"],
    "the unseen as negatives": ["retrieval.unseen_negatives=true"],
    "cosine": ["retrieval.similarity=cosine"],
}


@dataclass(frozen=True)
class Score:
    """Holds what one training came to."""

    validation: float
    test: float


def trained(stages: Stages, config: ShopConfig, with_text: bool) -> Score:
    """Trains one variant on the shop's dataset and measures it."""
    from tfrs_app.evaluation.protocol import Target, ask
    from tfrs_app.evaluation.ranking import evaluate
    from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
    from tfrs_app.models.encoded import EncodedDataset
    from tfrs_app.training.retrieval import train_retrieval
    from tfrs_app.training.runs import load_retrieval

    shop, retrieval = stages.encoded, config.retrieval
    texts = shop.texts if with_text else None
    encoded = EncodedDataset(shop.dataset, shop.lookup, shop.catalogue, texts)
    k = retrieval.validation_k
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        manifest = train_retrieval(encoded, retrieval, run, stages.console.print)
        model = load_retrieval(run, encoded)
    split = encoded.dataset.split
    target = Target(retrieval.validation_target)
    question = ask(encoded.dataset.events, target, split.test_start, split.test_end)
    scorer = RetrievalScorer(model, encoded.reader(retrieval.longest_history))
    return Score(
        validation=manifest.counts[f"validation_ndcg@{k}"],
        test=evaluate(scorer, question, (k,))[f"ndcg@{k}"],
    )


def variants_of(config: ShopConfig, only: list[str]) -> list[str]:
    """Returns the variants that differ from the shipped config, which comes first."""
    chosen = [name for name in VARIANTS if not only or name in (SHIPPED, *only)]
    lacks = {NO_TEXT: config.text is None, "no factors": not config.retrieval.factors}
    return [name for name in chosen if not lacks.get(name, False)]


def main() -> None:
    """Prints the table and, as its last line, one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", default="configs/online_retail.yaml")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], choices=VARIANTS)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    path = Path(arguments.config)
    stages = Stages(load_config(path, arguments.set), Console(stderr=True))
    names = variants_of(stages.config, arguments.only)
    scores: dict[str, list[Score]] = defaultdict(list)
    for seed in range(arguments.seeds):
        for name in names:
            overrides = [*arguments.set, *VARIANTS[name], f"retrieval.seed={seed}"]
            config = load_config(path, overrides)
            scores[name].append(trained(stages, config, name != NO_TEXT))
            stages.console.print(f"seed {seed}: {name} {scores[name][-1]}")
    report(scores)


def report(scores: dict[str, list[Score]]) -> None:
    """Prints the means, their spread and the line of JSON."""
    table = Table("variant", "validation", "test", "tests of each seed")
    document = {}
    for name, found in scores.items():
        validation = statistics.mean(score.validation for score in found)
        test = statistics.mean(score.test for score in found)
        each = " ".join(f"{score.test:.4f}" for score in found)
        table.add_row(name, f"{validation:.4f}", f"{test:.4f}", each)
        document[name] = {"validation": round(validation, 4), "test": round(test, 4)}
    Console().print(table)
    sys.stdout.write(json.dumps({"benchmark": "ablation", "ndcg": document}) + "\n")


if __name__ == "__main__":
    main()
