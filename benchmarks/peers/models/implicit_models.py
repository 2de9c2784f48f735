"""How every model of the package `implicit` is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp


@dataclass(frozen=True)
class ImplicitModel:
    """Asks a fitted model of `implicit`.

    Args:
        model: has `recommend`.
        user_items: what it was fitted on, `[users, items]`.
    """

    model: Any
    user_items: sp.csr_matrix

    def recommend(self, users: np.ndarray, k: int, *, new_only: bool) -> np.ndarray:
        """Returns each user's best k items, `[users, k]`."""
        items, scores = self.model.recommend(
            users,
            self.user_items[users],
            N=k,
            filter_already_liked_items=new_only,
        )
        # Where items run out, filtered ones follow with the lowest score there is;
        # item-kNN's, with 0.
        lists = np.where(scores > np.finfo(np.float32).min, items, -1)
        if new_only:
            for row, user in zip(lists, users, strict=True):
                row[np.isin(row, self.user_items[user].indices)] = -1
        return lists
