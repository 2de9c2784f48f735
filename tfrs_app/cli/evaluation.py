"""Everybody compared: tables on the console, the report, `metrics.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tfrs_app.cli.stages import Stages

if TYPE_CHECKING:
    from tfrs_app.evaluation.funnel.probe import FunnelProbe
    from tfrs_app.evaluation.ranking import Lister, Scorer
    from tfrs_app.evaluation.requests import Requests
    from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
    from tfrs_app.evaluation.served import ServedFunnel
    from tfrs_app.export.ranked_recommender import RankedRecommender

RETRIEVAL = "retrieval"
FUNNEL = "funnel"


@dataclass(frozen=True)
class Contestants:
    """Holds the models to measure.

    Args:
        towers: score the whole catalogue in this process.
        funnel: exported as of the first moment of the test window and asked like a
            served model; None without a ranker.
    """

    towers: RetrievalScorer
    funnel: ServedFunnel | None = None

    @property
    def models(self) -> dict[str, Scorer | Lister]:
        """Returns them by name."""
        funnel = {} if self.funnel is None else {FUNNEL: self.funnel}
        return {RETRIEVAL: self.towers, **funnel}


def compare_models(stages: Stages, ingredients: dict[str, Any]) -> None:
    """Measures models and baselines on the test window and writes what came of it.

    Args:
        stages: of the shop.
        ingredients: what tells later whether the report is up to date.
    """
    from tfrs_app.cli.insights import insights_of
    from tfrs_app.evaluation.comparison import Contest
    from tfrs_app.evaluation.document import document_of, write_metrics
    from tfrs_app.evaluation.protocol import Target
    from tfrs_app.evaluation.report import examples_of, write_report
    from tfrs_app.evaluation.table import table_of

    config, dataset = stages.config.evaluation, stages.encoded.dataset
    contest = Contest(dataset, config, stages.console.print)
    with contestants(stages) as found:
        comparison = contest.compared(found.models)
        for target in Target:
            stages.console.print(table_of(comparison.results, target, config))
        for verdict in comparison.verdicts:
            if verdict.best:
                stages.console.print(verdict.words)
        insights = insights_of(stages, contest, comparison, found)
    write_report(
        stages.report_page,
        stages.config.shop,
        document_of(dataset, comparison, ingredients, insights),
        examples_of(dataset, comparison, config.seed),
    )
    # Last, because it tells that both are up to date.
    write_metrics(stages.metrics_file, dataset, comparison, ingredients, insights)


def figures_of(stages: Stages) -> dict[str, Any]:
    """Returns what `--json` prints of an evaluation: one figure a metric."""
    document = json.loads(stages.metrics_file.read_text(encoding="utf-8"))
    told = (str, int, float)
    results = [
        {
            "intervals": result["intervals"],
            **{
                name: value for name, value in result.items() if isinstance(value, told)
            },
        }
        for result in document["results"]
    ]
    return {
        "metrics": stages.metrics_file,
        "report": stages.report_page,
        "dataset": document["dataset"],
        "run": document["run"],
        "results": results,
        "verdicts": document["verdicts"],
    }


@contextmanager
def contestants(stages: Stages) -> Iterator[Contestants]:
    """Yields the models to measure; the SavedModel goes when they are done with."""
    from tfrs_app.evaluation.requests import Requests
    from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
    from tfrs_app.evaluation.served import ServedFunnel, ServedLists
    from tfrs_app.export.publish import build_recommender, save
    from tfrs_app.export.ranked_recommender import RankedRecommender

    towers, encoded = stages.towers, stages.encoded
    scorer = RetrievalScorer(towers, encoded.reader(towers.config.longest_history))
    if stages.ranker is None:
        yield Contestants(scorer)
        return
    root = stages.layout.root
    with TemporaryDirectory(dir=root, prefix=".as_of_test.") as folder:
        recommender, _ = build_recommender(
            towers,
            encoded,
            stages.config.export,
            stages.ranker,
            encoded.dataset.split.test_start,
        )
        assert isinstance(recommender, RankedRecommender)
        save(recommender, Path(folder))
        requests = Requests(encoded.dataset, stages.history_length)
        served = ServedLists(Path(folder), requests)
        yield Contestants(scorer, ServedFunnel(served, probe_of(recommender, requests)))


def probe_of(recommender: RankedRecommender, requests: Requests) -> FunnelProbe:
    """Returns what tells a module's candidates.

    Args:
        recommender: as it was saved.
        requests: that it is sent.
    """
    import numpy as np

    from tfrs_app.contract.features import ITEM_ID
    from tfrs_app.evaluation.funnel.probe import FunnelProbe
    from tfrs_app.export.considering import Considering

    known = np.isin(requests.dataset.catalogue[ITEM_ID], recommender.item_ids.numpy())
    return FunnelProbe(requests, Considering(recommender), known)
