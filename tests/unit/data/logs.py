"""Random event logs, and the rows they were made of."""

import numpy as np
from hypothesis import strategies as st

from tfrs_app.data.event_log import EventLog


def log_of(users, type_weight=(0.5, 1.0)):
    """An EventLog of [[(time, item, type), ...], ...], which must be sorted by time."""
    events = [event for user in users for event in user]
    columns = np.array(events, np.int64).reshape(-1, 3)
    return EventLog(
        user_id=np.array([f"u{n}".encode() for n in range(len(users))], object),
        row_splits=np.concatenate([[0], np.cumsum([len(u) for u in users])]).astype(
            np.int64
        ),
        item=columns[:, 1].astype(np.int32),
        event_type=columns[:, 2].astype(np.int32),
        timestamp=columns[:, 0],
        type_weight=np.array(type_weight, np.float64),
        profile={},
        context={},
    )


def rows_of(users):
    """(user, position in the log, time, item, type) of all events."""
    rows = []
    for user, events in enumerate(users):
        for event in events:
            rows.append((user, len(rows), *event))
    return rows


EVENT = st.tuples(st.integers(0, 6), st.integers(0, 4), st.integers(0, 1))
"""Few moments and items, so that baskets and repetitions are frequent."""
USERS = st.lists(
    st.lists(EVENT, min_size=1, max_size=8).map(sorted), min_size=1, max_size=5
)
