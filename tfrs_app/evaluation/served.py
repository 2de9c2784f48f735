"""A published SavedModel as it answers: what is measured is what is served."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfrs_app.contract.features import ITEM_ID
from tfrs_app.contract.signatures import DIVERSITY, RECOMMEND
from tfrs_app.evaluation.funnel.probe import FunnelProbe
from tfrs_app.evaluation.protocol import Question
from tfrs_app.evaluation.requests import Requests
from tfrs_app.evaluation.saved_model import SavedModel


class ServedLists:
    """Asks the `recommend` signature of a SavedModel, as a client would.

    Args:
        folder: of the SavedModel.
        requests: what is sent.
    """

    def __init__(self, folder: Path, requests: Requests) -> None:
        self._model = SavedModel(folder)
        self.requests = requests
        ids = requests.dataset.catalogue[ITEM_ID]
        self._order = np.argsort(ids)
        self._sorted = ids[self._order]

    def lists(
        self,
        question: Question,
        k: int,
        *,
        diversity: float = 0.0,
        requests: Requests | None = None,
    ) -> np.ndarray:
        """Returns each user's best k catalogue rows, int64 `[users, k]`; -1: none.

        Args:
            question: without candidates of its own.
            k: length of the lists.
            diversity: that all requests ask for.
            requests: what is sent instead; None: as always.
        """
        spread = {DIVERSITY: np.array([diversity])}
        parts = [
            self._answers({**given, **spread}, k)
            for given in (requests or self.requests).of(question, k)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, k), np.int64)

    def _answers(self, given: dict[str, np.ndarray], k: int) -> np.ndarray:
        lists = self._rows(self._model.ask(RECOMMEND, given)[ITEM_ID])
        return np.pad(lists, ((0, 0), (0, k - lists.shape[1])), constant_values=-1)

    def _rows(self, ids: np.ndarray) -> np.ndarray:
        """Returns the catalogue rows of ids, in their shape; -1 for none."""
        last = len(self._sorted) - 1
        found = np.searchsorted(self._sorted, ids.ravel()).clip(max=last)
        real = self._sorted[found] == ids.ravel()
        return np.where(real, self._order[found], -1).reshape(ids.shape)


@dataclass(frozen=True)
class ServedFunnel:
    """Lists what a SavedModel lists.

    Of some candidates only, which a request has no short way to name, it lists what the
    module that was saved does.

    Args:
        served: the SavedModel.
        probe: asks the module in this process.
    """

    served: ServedLists
    probe: FunnelProbe

    def lists(self, question: Question, k: int) -> np.ndarray:
        """Returns each user's best k catalogue rows, int64 `[users, k]`; -1: none."""
        if question.candidates is None:
            return self.served.lists(question, k)
        return self.probe.lists(question, k)
