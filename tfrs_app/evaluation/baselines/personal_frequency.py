"""What the user had most often, recent events counting more; then popular items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrs_app.evaluation.baselines.popular import fit_popular
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question


@dataclass(frozen=True)
class PersonalFrequency:
    """Scores a user's items by decayed frequency, above all others by popularity.

    Args:
        past: what is known.
        fallback: float32 `[items]`, below 0, most popular highest.
        half_life_days: age at which an event counts half.
    """

    past: Past
    fallback: np.ndarray
    half_life_days: float

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float32 `[users, items]`."""
        queries = self.past.queries(question, rows, self.half_life_days)
        scores = np.tile(self.fallback, (queries.shape[0], 1))
        owner = np.repeat(np.arange(queries.shape[0]), np.diff(queries.indptr))
        # Whatever was had stands above what never was, however long ago it is.
        scores[owner, queries.indices] = queries.data
        return scores


def fit_personal_frequency(past: Past, half_life_days: float) -> PersonalFrequency:
    """Prepares the popular items that follow the user's own."""
    popular = fit_popular(past).counts
    fallback = popular / (popular.max(initial=0) + 1.0) - 1.0
    return PersonalFrequency(past, fallback.astype(np.float32), half_life_days)
