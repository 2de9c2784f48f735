"""A profile of the words that a user's items have: it can place new items."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question


@dataclass(frozen=True)
class TfidfProfile:
    """Scores by the cosine of an item's TF-IDF vector and the user's profile.

    The profile is the decayed sum of the vectors of the history's items; its length
    is left as it is, for it does not change a user's order.

    Args:
        past: what is known.
        content: float32 `[items, terms]`, rows of length 1 or 0.
        half_life_days: age at which an event of the history counts half.
    """

    past: Past
    content: sp.csr_matrix
    half_life_days: float | None

    def scores(self, question: Question, rows: slice) -> np.ndarray:
        """Returns float32 `[users, items]`."""
        queries = self.past.queries(question, rows, self.half_life_days)
        profiles = (queries @ self.content).toarray()
        scores: np.ndarray = (self.content @ profiles.T).T
        return scores


def fit_tfidf_profile(past: Past, half_life_days: float | None = None) -> TfidfProfile:
    """Prepares the profiles.

    Raises:
        ValueError: the items have no content.
    """
    if past.content is None:
        raise ValueError("a content profile needs items with texts or categories")
    return TfidfProfile(past, past.content, half_life_days)
