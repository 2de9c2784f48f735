"""Everybody compared: tables on the console, the report, `metrics.json`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from tfrs_app.cli.stages import Stages

if TYPE_CHECKING:
    from tfrs_app.evaluation.ranking import Lister, Scorer

RETRIEVAL = "retrieval"
FUNNEL = "funnel"


def compare_models(stages: Stages, ingredients: dict[str, Any]) -> None:
    """Measures models and baselines on the test window and writes what came of it.

    Args:
        stages: of the shop.
        ingredients: what tells later whether the report is up to date.
    """
    from tfrs_app.evaluation.comparison import compare
    from tfrs_app.evaluation.document import document_of, write_metrics
    from tfrs_app.evaluation.protocol import Target
    from tfrs_app.evaluation.report import examples_of, write_report
    from tfrs_app.evaluation.table import table_of

    config, dataset = stages.config.evaluation, stages.encoded.dataset
    with contestants(stages) as models:
        comparison = compare(dataset, models, config, stages.console.print)
    for target in Target:
        stages.console.print(table_of(comparison.results, target, config))
    for verdict in comparison.verdicts:
        if verdict.best:
            stages.console.print(verdict.words)
    write_report(
        stages.report_page,
        stages.config.shop,
        document_of(dataset, comparison, ingredients),
        examples_of(dataset, comparison, config.seed),
    )
    # Last, because it tells that both are up to date.
    write_metrics(stages.metrics_file, dataset, comparison, ingredients)


@contextmanager
def contestants(stages: Stages) -> Iterator[dict[str, Scorer | Lister]]:
    """Yields the models to measure, by name.

    The towers score the whole catalogue in this process. The funnel is exported as of
    the first moment of the test window and asked like a served model.
    """
    from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
    from tfrs_app.evaluation.served import ServedLists
    from tfrs_app.export.publish import build_recommender, save

    towers, encoded = stages.towers, stages.encoded
    length = towers.config.longest_history
    models: dict[str, Scorer | Lister] = {
        RETRIEVAL: RetrievalScorer(towers, encoded.reader(length))
    }
    if stages.ranker is None:
        yield models
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
        save(recommender, Path(folder))
        models[FUNNEL] = ServedLists(Path(folder), encoded.dataset, length)
        yield models
