"""Users of a dataset as shoppers of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serving.client import Shopper
from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
)

if TYPE_CHECKING:
    from tfrs_app.data.dataset import Dataset

_TIMESTAMP = "timestamp"


def shopper_of(dataset: Dataset, user: int, history_length: int) -> Shopper:
    """Returns what a shop's page would know of a user.

    Args:
        dataset: as opened from disk.
        user: row of the event log.
        history_length: events to show at most, the last ones.
    """
    from tfrs_app.export.warmup import raw_query

    told = {
        name: values[0]
        for name, values in raw_query(dataset, user, history_length).items()
    }
    return Shopper(
        history=_texts(told.pop(HISTORY_ITEM_ID)),
        event_types=_texts(told.pop(HISTORY_EVENT_TYPE)),
        timestamps=told.pop(HISTORY_TIMESTAMP).tolist(),
        timestamp=int(told.pop(_TIMESTAMP)),
        features=told,
    )


def _texts(values: Any) -> list[str]:
    return [value.decode() for value in values]
