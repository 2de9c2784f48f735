"""The proof against plain loops, and against logs and readers that leak."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings

from tests.unit.data.logs import USERS, log_of, rows_of
from tfrs_app.contract.errors import DataError
from tfrs_app.data.event_log import EventLog
from tfrs_app.data.windows import (
    TARGET,
    WINDOW,
    WINDOW_END,
    QueryReader,
    training_batches,
)
from tfrs_app.evaluation.leaks import histories
from tfrs_app.evaluation.leaks.histories import check_histories, traced_reader

LENGTH = 3


def dataset_of(log, validation_start=3, test_start=5):
    split = SimpleNamespace(validation_start=validation_start, test_start=test_start)
    return SimpleNamespace(events=log, split=split)


@given(users=USERS)
@settings(deadline=None, max_examples=30)
def test_a_sound_log_is_proved_and_everything_looked_at(users):
    requests = {(user, time) for user, _, time, _, _ in rows_of(users)}
    asked = [*requests, *((u, t) for u in range(len(users)) for t in (3, 5))]
    seen = sum(
        min(LENGTH, sum(time < moment for time, _, _ in users[user]))
        for user, moment in asked
    )
    found = check_histories(dataset_of(log_of(users)), LENGTH)
    assert found.examples == sum(map(len, users))
    assert (found.cut, found.possible, found.seen) == (len(asked), len(asked), seen)


SHOP = [[(1, 0, 1), (2, 1, 1), (2, 2, 1), (6, 0, 1)], [(1, 3, 1), (4, 4, 1)]]


def test_beyond_the_most_cells_an_even_sample_is_looked_at(monkeypatch):
    monkeypatch.setattr(histories, "MOST_CELLS", 4 * LENGTH)
    found = check_histories(dataset_of(log_of(SHOP)), LENGTH)
    assert (found.examples, found.cut, found.possible) == (6, 4, 9)


def test_events_out_of_order_are_found():
    log = log_of(SHOP)
    log.timestamp[[0, 3]] = log.timestamp[[3, 0]]
    with pytest.raises(DataError, match=r"user 'u0' has an event of 1970.*00:00:06"):
        check_histories(dataset_of(log), LENGTH)


def test_a_user_may_begin_earlier_than_the_one_before_ended():
    assert check_histories(dataset_of(log_of([[(9, 0, 1)], [(1, 0, 1)]])), 2).cut == 6


class SeesItsBasket(EventLog):
    def history_end(self):
        return np.arange(len(self.item))


class SeesItself(EventLog):
    def history_end(self):
        return np.arange(len(self.item)) + 1


class SeesTheUserBefore(EventLog):
    def history_end(self):
        return np.maximum(super().history_end() - 1, 0)


class SeesTheWindow(EventLog):
    def before(self, moment_s):
        return super().before(moment_s + 1)


@pytest.mark.parametrize(
    "leaky", [SeesItsBasket, SeesItself, SeesTheUserBefore, SeesTheWindow]
)
def test_a_history_that_ends_too_late_or_elsewhere_is_found(leaky, monkeypatch):
    monkeypatch.setattr(histories, "MOST_CELLS", 1)  # the bounds tell, not the reader
    users = [*SHOP, [(3, 1, 1), (5, 1, 1)]]
    log = leaky(**vars(log_of(users)))
    with pytest.raises(DataError, match=r"history of user .* holds an event of user"):
        check_histories(dataset_of(log), LENGTH)


class OneTooFar(QueryReader):
    def __call__(self, user, end, timestamp, moment):
        return super().__call__(user, tf.minimum(end + 1, 6), timestamp, moment)


class ForgetsTheUser(QueryReader):
    def __init__(self, log, **arguments):
        super().__init__(log, **arguments)
        self._start = tf.zeros_like(self._start)


class OtherTimes(QueryReader):
    def __init__(self, log, **arguments):
        earlier = dataclasses.replace(log, timestamp=log.timestamp - 1)
        super().__init__(earlier, **arguments)


class SharesTooMuch(QueryReader):
    def shared(self, user, end, timestamp, moment):
        answer = super().shared(user, end, timestamp, moment)
        return {**answer, WINDOW_END: answer[WINDOW_END] + 1}


class SharesWithAnother(QueryReader):
    def shared(self, user, end, timestamp, moment):
        answer = super().shared(user, end, timestamp, moment)
        return {**answer, WINDOW: tf.zeros_like(answer[WINDOW])}


@pytest.mark.parametrize(
    "leaky",
    [OneTooFar, ForgetsTheUser, OtherTimes, SharesTooMuch, SharesWithAnother],
)
def test_a_reader_that_shows_what_it_must_not_is_found(monkeypatch, leaky):
    monkeypatch.setattr(histories, "QueryReader", leaky)
    with pytest.raises(DataError, match="it may only hold the user's own, earlier"):
        check_histories(dataset_of(log_of(SHOP)), LENGTH)


def test_a_reader_that_shows_the_basket_is_found(monkeypatch):
    monkeypatch.setattr(histories, "QueryReader", OneTooFar)
    basket = [[(1, n, 1) for n in range(6)]]
    with pytest.raises(DataError, match=r"T00:00:01\S* holds an event .*T00:00:01"):
        check_histories(dataset_of(log_of(basket), 1, 1), LENGTH)


@pytest.mark.slow
@pytest.mark.parametrize("share", [False, True])
@given(users=USERS)
@settings(deadline=None, max_examples=20)
def test_training_batches_hold_no_event_at_or_after_their_target(share, users):
    """Traced through what training reads: every number is an event's position."""
    rows, log = rows_of(users), log_of(users)
    traced = dataclasses.replace(log, item=np.arange(len(rows), dtype=np.int32))
    batches = training_batches(
        traced_reader(log, LENGTH),
        traced,
        positions=np.arange(len(rows)),
        weight=np.ones(len(rows)),
        batch_size=min(2, len(rows)),
        seed=(1, 0),
        share_windows=share,
    )
    read = 0
    for batch in batches.as_numpy_iterator():
        for target, query in zip(batch[TARGET], batch["query_row"], strict=True):
            user, _, moment, _, _ = rows[target]
            window = batch["window"][query] if share else query
            end = batch["window_end"][query] if share else LENGTH
            for token in batch["history_item_id"][window][:end]:
                if token:
                    owner, _, time, _, _ = rows[token - 1]
                    assert owner == user
                    assert time < moment
            read += 1
    assert read >= len(rows) - 1
