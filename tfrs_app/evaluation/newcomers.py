"""Models that are shown a part of each history, as if the customer were new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tfrs_app.evaluation.baselines import FAMILIES
from tfrs_app.evaluation.few_events import ListsShowing
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question
from tfrs_app.evaluation.ranking import SameForAll, ranked_lists
from tfrs_app.evaluation.results import Result
from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
from tfrs_app.evaluation.served import ServedLists

BASELINES = ("popular", "recently_popular", "tfidf_profile")
"""What lists items for somebody of whom nothing, or only an item's text, is known."""


def served_showing(served: ServedLists) -> ListsShowing:
    """Returns the served model, sent the last events only."""

    def lists(question: Question, k: int, events: int | None) -> np.ndarray:
        requests = served.requests
        if events is not None:
            requests = replace(requests, history_length=events)
        return served.lists(question, k, requests=requests)

    return lists


def towers_showing(scorer: RetrievalScorer) -> ListsShowing:
    """Returns the towers, shown the last events only."""

    def lists(question: Question, k: int, events: int | None) -> np.ndarray:
        shown = scorer if events is None else scorer.showing(events)
        return ranked_lists(shown, question, k)

    return lists


def baselines_showing(results: Sequence[Result], past: Past) -> dict[str, ListsShowing]:
    """Returns the baselines of one target that were measured, as they were tuned.

    Args:
        results: of that target.
        past: what may be known; of the asked users it is cut.
    """
    measured = {result.model: result for result in results}
    return {
        name: _baseline_showing(measured[name], past)
        for name in BASELINES
        if name in measured
    }


def _baseline_showing(result: Result, past: Past) -> ListsShowing:
    (family,) = (one for one in FAMILIES if one.name == result.model)

    def lists(question: Question, k: int, events: int | None) -> np.ndarray:
        scorer = family.fit(past, **result.parameters)
        # What is the same for everybody is known from all other customers.
        if events is not None and not isinstance(scorer, SameForAll):
            scorer = family.fit(past.last_events(events), **result.parameters)
        return ranked_lists(scorer, question, k)

    return lists
