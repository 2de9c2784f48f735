"""How every model of RecTools is given data and asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse as sp
from rectools import Columns
from rectools.dataset import Dataset

from benchmarks.peers.rival import Data


@dataclass(frozen=True)
class RecToolsModel:
    """Asks a fitted model of RecTools.

    Args:
        model: has `recommend`.
        dataset: that it was fitted on.
    """

    model: Any
    dataset: Dataset

    def recommend(self, users: np.ndarray, k: int, *, new_only: bool) -> np.ndarray:
        """Returns each user's best k items, `[users, k]`."""
        found = self.model.recommend(
            users=users,
            dataset=self.dataset,
            k=k,
            filter_viewed=new_only,
            on_unsupported_targets="ignore",  # whom it knows nothing of has no list
        )
        order = np.argsort(users)
        position = np.searchsorted(users[order], found[Columns.User].to_numpy())
        lists = np.full((len(users), k), -1)
        rank = found[Columns.Rank].to_numpy() - 1
        lists[order[position], rank] = found[Columns.Item].to_numpy()
        return lists


def events_of(data: Data) -> Dataset:
    """Returns every purchase by itself, in time."""
    return Dataset.construct(
        pd.DataFrame(
            {
                Columns.User: data.user,
                Columns.Item: data.item,
                Columns.Weight: np.ones(len(data.user), np.float32),
                Columns.Datetime: pd.to_datetime(data.timestamp, unit="s"),
            }
        )
    )


def pairs_of(matrix: sp.csr_matrix) -> Dataset:
    """Returns one weighted interaction for each entry of `[users, items]`."""
    pairs = matrix.tocoo()
    return Dataset.construct(
        pd.DataFrame(
            {
                Columns.User: pairs.row,
                Columns.Item: pairs.col,
                Columns.Weight: pairs.data,
                Columns.Datetime: pd.Timestamp(0),
            }
        )
    )
