import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.logs import USERS, log_of, rows_of
from tfrs_app.data.windows import QueryReader, training_batches

pytestmark = pytest.mark.slow

ITEM_TOKEN = np.array([10, 11, 12, 13, 14], np.int32)
TYPE_TOKEN = np.array([2, 3], np.int32)


def reader_of(log, length=3):
    return QueryReader(
        log,
        item_token=ITEM_TOKEN,
        type_token=TYPE_TOKEN,
        profile={"team": np.arange(100, 100 + log.users)},
        context={"store": np.arange(200, 200 + len(log.item))},
        history_length=length,
    )


def history_of(rows, user, time, length):
    """(items, types, times), `length` each, padded with 0 in front."""
    seen = [r for r in rows if r[0] == user and r[2] < time][-length:]
    pad = [0] * (length - len(seen))
    return (
        pad + [10 + r[3] for r in seen],
        pad + [2 + r[4] for r in seen],
        pad + [r[2] for r in seen],
    )


USERS_OF_NOTE = [
    [(1, 0, 0), (2, 1, 1), (3, 2, 1), (3, 4, 0), (7, 3, 1)],
    [(3, 4, 0)],
]


def cut(log, length, *queries):
    columns = [tf.constant(column, tf.int64) for column in zip(*queries, strict=True)]
    answer = reader_of(log, length)(*columns)
    return {name: value.numpy().tolist() for name, value in answer.items()}


def test_a_history_is_padded_in_front_and_knows_its_user_and_moment():
    # Of user 0 before position 2, of user 0 before position 5, of user 1: nothing.
    queries = [(0, 2, 30, 4), (0, 5, 31, 0), (1, 5, 32, 5)]
    assert cut(log_of(USERS_OF_NOTE), 3, *queries) == {
        "history_item_id": [[0, 10, 11], [12, 14, 13], [0, 0, 0]],
        "history_event_type": [[0, 2, 3], [3, 2, 3], [0, 0, 0]],
        "history_timestamp": [[0, 1, 2], [3, 3, 7], [0, 0, 0]],
        "timestamp": [30, 31, 32],
        "team": [100, 100, 101],
        "store": [204, 200, 205],
    }


def test_a_batch_of_none_and_a_history_longer_than_the_log():
    log = log_of(USERS_OF_NOTE)
    empty = tf.zeros([0], tf.int64)
    assert reader_of(log)(empty, empty, empty, empty)["history_item_id"].shape == [0, 3]
    assert cut(log, 8, (1, 6, 9, 5))["history_item_id"] == [[0] * 7 + [14]]


def examples_of(log, positions, batch_size, seed=(1, 0), length=3):
    """All batches as lists, and every example as one comparable tuple."""
    weight = positions + 0.5
    batches = training_batches(
        reader_of(log, length),
        log,
        positions=positions,
        weight=weight,
        batch_size=batch_size,
        seed=seed,
    )
    read = [{k: v.tolist() for k, v in b.items()} for b in batches.as_numpy_iterator()]
    examples = [
        [
            (
                batch["weight"][i],
                batch["target"][i],
                batch["history_item_id"][query],
                batch["history_event_type"][query],
                batch["history_timestamp"][query],
                batch["timestamp"][query],
                batch["team"][query],
            )
            for i, query in enumerate(batch["query_row"])
        ]
        for batch in read
    ]
    return read, examples


@settings(max_examples=25, deadline=None)
@given(USERS, st.integers(1, 4), st.integers(1, 4), st.data())
def test_examples_are_what_a_plain_loop_makes(users, batch_size, length, data):
    log, rows = log_of(users), rows_of(users)
    chosen = data.draw(st.sets(st.integers(0, len(rows) - 1)))
    positions = np.array(sorted(chosen), np.int64)
    read, batches = examples_of(log, positions, batch_size, length=length)
    expected = {
        position + 0.5: (
            item,
            *history_of(rows, user, time, length),
            time,
            100 + user,
        )
        for user, position, time, item, _ in rows
        if position in chosen
    }
    assert len(batches) == len(positions) // batch_size
    found = [example for batch in batches for example in batch]
    assert all(len(batch) == batch_size for batch in batches)
    assert len({example[0] for example in found}) == len(found)  # each once
    for number, *example in found:
        assert tuple(example) == expected[number]
    for batch in read:  # one query a basket, all of them used
        queries = len(batch["history_item_id"])
        assert set(batch["query_row"]) == set(range(queries))


def baskets(count, size):
    """One user's baskets of `size` items each."""
    return log_of([[(time, n % 5, 0) for time in range(count) for n in range(size)]])


def batches_of(log, seed, batch_size=1):
    _, batches = examples_of(log, np.arange(len(log.item)), batch_size, seed)
    return [[example[0] for example in batch] for batch in batches]


def order_of(log, seed, batch_size=1):
    return [number for batch in batches_of(log, seed, batch_size) for number in batch]


def test_the_seed_decides_the_order():
    log = baskets(20, 1)
    assert order_of(log, (1, 0)) == order_of(log, (1, 0))
    assert order_of(log, (1, 0)) != order_of(log, (1, 1))
    assert order_of(log, (1, 0)) != order_of(log, (2, 0))
    assert order_of(log, (1, 0)) != sorted(order_of(log, (1, 0)))


def test_every_epoch_shows_every_example():
    log = baskets(5, 2)
    for epoch in range(3):
        assert sorted(order_of(log, (1, epoch))) == [n + 0.5 for n in range(10)]


@pytest.mark.parametrize("seed", range(5))
def test_less_than_a_batch_is_left_out(seed):
    assert len(order_of(baskets(10, 1), (1, seed), batch_size=4)) == 8
    assert len(order_of(baskets(8, 1), (1, seed), batch_size=4)) == 8
    assert order_of(baskets(3, 1), (1, seed), batch_size=4) == []


def test_another_epoch_leaves_others_out_and_cuts_elsewhere():
    log = baskets(11, 1)
    left_out = {
        frozenset(range(11)) - {int(n) for n in order_of(log, (1, epoch), 4)}
        for epoch in range(20)
    }
    assert len(left_out) == 4  # 0, 1, 2 or 3 examples before the first batch


@pytest.mark.parametrize("seed", range(3))
def test_a_batch_is_one_stretch_of_time(seed):
    """Users' events interleave in time; no batch reaches into another's stretch."""
    log = log_of([[(t, 0, 0) for t in range(u, 40, 3)] for u in range(3)])
    time = {n + 0.5: log.timestamp[n] for n in range(len(log.item))}
    stretches = sorted(
        (min(time[n] for n in batch), max(time[n] for n in batch))
        for batch in batches_of(log, (1, seed), 5)
    )
    assert len(stretches) == 8
    for (_, end), (start, _) in itertools.pairwise(stretches):
        assert end < start


def test_baskets_of_one_second_are_shuffled():
    log = log_of([[(7, n % 5, 0)] for n in range(20)])
    assert order_of(log, (1, 0), 20) != order_of(log, (1, 1), 20)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_baskets_stay_together(size):
    log = baskets(8, size)
    order = order_of(log, (3, 0), batch_size=size)
    numbers = [int(position - 0.5) // size for position in order]
    runs = [n for i, n in enumerate(numbers) if i == 0 or numbers[i - 1] != n]
    assert sorted(runs) == list(range(8))
    read, _ = examples_of(log, np.arange(8 * size), size)
    assert [len(batch["history_item_id"]) for batch in read] == [1] * 8


def test_baskets_are_queries_of_their_own_users():
    log = log_of([[(5, 0, 0)], [(5, 1, 0)]])
    read, _ = examples_of(log, np.arange(2), 2)
    assert sorted(read[0]["team"]) == [100, 101]


@settings(max_examples=25, deadline=None)
@given(USERS, st.integers(1, 6), st.integers(1, 4))
def test_shared_windows_show_what_own_windows_show(users, batch_size, length):
    """But for events that fell out of the window in front."""
    log = log_of(users)
    both = [
        training_batches(
            reader_of(log, length),
            log,
            positions=np.arange(len(log.item)),
            weight=np.ones(len(log.item)),
            batch_size=batch_size,
            seed=(1, 0),
            share_windows=share,
        ).as_numpy_iterator()
        for share in (False, True)
    ]
    for own, shared in zip(*both, strict=True):
        user = own["team"]
        assert len(shared["history_item_id"]) == len(set(user.tolist()))
        for name in ("timestamp", "team", "store", "target", "query_row", "weight"):
            np.testing.assert_array_equal(own[name], shared[name])
        for query, (window, end) in enumerate(
            zip(shared["window"], shared["window_end"], strict=True)
        ):
            for name in ("history_item_id", "history_event_type", "history_timestamp"):
                seen = shared[name][window][:end].tolist()
                whole = own[name][query].tolist()
                assert seen == whole[length - len(seen) :]
            last_of_user = own["timestamp"][query] == max(
                own["timestamp"][user == user[query]]
            )
            assert end == length if last_of_user else end <= length
