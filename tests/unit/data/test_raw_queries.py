import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of, rows_of
from tfrs_app.data.raw_queries import raw_queries

IDS = np.array([f"item{n}".encode() for n in range(5)], object)
TYPES = ("view", "purchase")


def dataset_of(users):
    """A stand-in; profile and context tell users and events apart."""
    events = len(rows_of(users))
    log = dataclasses.replace(
        log_of(users),
        profile={
            "city": np.array([f"c{n}".encode() for n in range(len(users))], object)
        },
        context={"wait": np.arange(events) / 2},
    )
    return SimpleNamespace(
        events=log,
        catalogue={"item_id": IDS},
        spec=SimpleNamespace(event_types=TYPES),
    )


def asked(users, requests, length):
    """The queries of (user, events seen, moment)."""
    user, seen, moment = np.array(requests, np.int64).reshape(-1, 3).T
    dataset = dataset_of(users)
    ends = dataset.events.row_splits[user] + seen
    return raw_queries(dataset, user, ends, moment, length)


@st.composite
def requests_of(draw):
    users = draw(USERS)
    user = st.integers(0, len(users) - 1)
    some = draw(st.lists(user, min_size=1, max_size=5))
    seen = [draw(st.integers(1, len(users[n]))) for n in some]
    moments = draw(st.lists(st.integers(0, 99), min_size=len(some), max_size=len(some)))
    return users, list(zip(some, seen, moments, strict=True))


@given(requests_of(), st.integers(1, 9))
def test_a_request_shows_the_last_events_before_its_end(pair, length):
    users, requests = pair
    found = asked(users, requests, length)
    shown = [users[user][:seen][-length:] for user, seen, _ in requests]
    longest = max(map(len, shown))
    items, types, times, waits = [], [], [], []
    for (user, seen, _), events in zip(requests, shown, strict=True):
        more = longest - len(events)
        items.append([b""] * more + [b"item%d" % item for _, item, _ in events])
        types.append([b""] * more + [TYPES[kind].encode() for *_, kind in events])
        times.append([0] * more + [time for time, *_ in events])
        waits.append((sum(map(len, users[:user])) + seen - 1) / 2)
    assert {name: values.tolist() for name, values in found.items()} == {
        "history_item_id": items,
        "history_event_type": types,
        "history_timestamp": times,
        "timestamp": [moment for *_, moment in requests],
        "city": [b"c%d" % user for user, *_ in requests],
        "wait": waits,
    }
    assert found["history_timestamp"].dtype == np.int64


ANN = [(1, 0, 0), (2, 1, 1), (3, 2, 0)]
BOB = [(4, 3, 1)]


def test_a_short_history_is_padded_in_front_and_holds_nobody_elses_events():
    found = asked([ANN, BOB], [(1, 1, 9), (0, 3, 8)], 2)
    assert found["history_item_id"].tolist() == [[b"", b"item3"], [b"item1", b"item2"]]
    assert found["history_timestamp"].tolist() == [[0, 4], [2, 3]]
    assert found["wait"].tolist() == [1.5, 1.0]


@pytest.mark.parametrize("seen", [1, 2, 3])
def test_events_behind_the_end_are_not_shown(seen):
    found = asked([ANN, BOB], [(0, seen, 9)], 5)
    assert found["history_timestamp"].tolist() == [[1, 2, 3][:seen]]
    assert found["history_event_type"].tolist() == [
        [b"view", b"purchase", b"view"][:seen]
    ]


def test_nobody_asks_nothing():
    found = asked([ANN, BOB], [], 5)
    assert found["history_item_id"].shape == found["history_timestamp"].shape == (0, 0)
    assert len(found["timestamp"]) == len(found["city"]) == len(found["wait"]) == 0
