"""What clients would send for users of a dataset: raw strings and numbers."""

from __future__ import annotations

import numpy as np

from tfrs_app.contract.features import (
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
    ITEM_ID,
)
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.windows import TIMESTAMP


def raw_queries(
    dataset: Dataset,
    users: np.ndarray,
    ends: np.ndarray,
    moment_s: np.ndarray,
    history_length: int,
) -> dict[str, np.ndarray]:
    """Returns the query inputs of a request.

    Args:
        dataset: as opened from disk.
        users: int64 `[batch]`, rows of the event log.
        ends: int64 `[batch]`, position behind the last event that each request shows.
        moment_s: int64 `[batch]`, when each is asked.
        history_length: events to show at most, the last ones.

    Returns:
        Histories `[batch, longest]`, padded in front; the rest `[batch]`. The context
        is that of the last event shown.
    """
    log = dataset.events
    length = np.minimum(ends - log.row_splits[users], history_length)
    offset = np.arange(-int(length.max(initial=0)), 0)
    real = offset >= -length[:, np.newaxis]
    place = np.where(real, ends[:, np.newaxis] + offset, 0)
    types = np.array([name.encode() for name in dataset.spec.event_types], object)
    last = ends - 1
    return {
        HISTORY_ITEM_ID: np.where(
            real, dataset.catalogue[ITEM_ID][log.item[place]], b""
        ),
        HISTORY_EVENT_TYPE: np.where(real, types[log.event_type[place]], b""),
        HISTORY_TIMESTAMP: np.where(real, log.timestamp[place], 0),
        TIMESTAMP: moment_s,
        **{name: values[users] for name, values in log.profile.items()},
        **{name: values[last] for name, values in log.context.items()},
    }
