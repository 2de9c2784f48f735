"""Exclusion for retrieval layers that know none: ask for more, drop what is barred."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp


def most_had(had: sp.csr_matrix, users: np.ndarray) -> int:
    """Returns how many items one of the users had at most."""
    return int(np.diff(had.indptr)[users].max(initial=0))


def first_new(
    ranked: np.ndarray, had: sp.csr_matrix, users: np.ndarray, k: int
) -> np.ndarray:
    """Returns the first k items that each user never had, int `[users, k]`.

    Args:
        ranked: `[users, at least k + most_had]`, best first.
        had: `[all users, items]`.
        users: rows of `had`.
        k: length of the lists.
    """
    lists = np.empty((len(users), k), np.int64)
    for row, user in enumerate(users):
        barred = had.indices[had.indptr[user] : had.indptr[user + 1]]
        lists[row] = ranked[row][~np.isin(ranked[row], barred)][:k]
    return lists
