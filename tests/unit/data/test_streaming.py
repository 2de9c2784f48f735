import itertools

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.data.logs import USERS
from tests.unit.data.records import (
    SPEC,
    event_of,
    examples_of,
    record_of,
    windows_of,
    write_files,
)
from tfrs_app.contract.errors import ArtifactError, ConfigError
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.streaming import sequence_windows
from tfrs_app.data.windows import QueryReader
from tfrs_app.layers.lookup import FeatureLookup

pytestmark = pytest.mark.slow


def events_of(users):
    """[[(time, item, type), ...], ...] with what tells every event apart."""
    numbers = iter(range(10**6))
    return [[event_of(next(numbers), *event) for event in user] for user in users]


def written(folder, users, *, files=2, cut_at=None, overlap=5):
    """Writes users' events; every second user has a profile. Returns all windows."""
    parts = [[] for _ in range(files)]
    for number, events in enumerate(users):
        starts = [0] if cut_at is None else range(0, len(events), cut_at)
        for start in starts:
            stop = len(events) if cut_at is None else start + cut_at
            begin = max(0, start - overlap)
            record = record_of(
                f"u{number}", events[begin:stop], start - begin, number % 2 == 0
            )
            parts[number % files].append(record)
    write_files(folder, parts)
    return parts


def expected_of(users, length):
    """Windows of all users; whole-number ages are the length of the one record."""
    found = []
    for number, events in enumerate(users):
        profile = {"city": f"city of u{number}".encode(), "age": float(len(events))}
        found += windows_of(events, length, **(profile if number % 2 == 0 else {}))
    return found


def read(folder, length=3, batch_size=4, **more):
    return examples_of(
        sequence_windows(
            folder, SPEC, history_length=length, batch_size=batch_size, **more
        )
    )


@settings(max_examples=10, deadline=None)
@given(
    USERS,
    st.integers(1, 12),
    st.integers(1, 5),
    st.integers(1, 3),
    st.none() | st.integers(0, 3),
)
def test_examples_are_what_a_plain_loop_finds(
    tmp_path_factory, users, length, batch_size, at_once, seed
):
    folder, users = tmp_path_factory.mktemp("log"), events_of(users)
    written(folder, users)
    sizes, found = read(folder, length, batch_size, seed=seed, users_at_once=at_once)
    assert sorted(found) == sorted(expected_of(users, length))
    assert all(size == batch_size for size in sizes[:-1])
    assert sizes[-1] == (len(found) - 1) % batch_size + 1


def test_without_a_seed_the_order_is_that_of_the_files(tmp_path):
    users = events_of([[(n, n, 0) for n in range(5)] for _ in range(6)])
    written(tmp_path, users)
    order = [0, 2, 4, 1, 3, 5]  # file by file
    expected = expected_of(users, 3)
    _, found = read(tmp_path, users_at_once=2)
    assert found == [window for n in order for window in expected[5 * n : 5 * n + 5]]


def test_one_moment_does_not_see_itself_and_padding_stands_in_front(tmp_path):
    events = [(1, b"a"), (5, b"b"), (5, b"c"), (6, b"d")]
    events = [(time, item, b"view", b"", 0.0) for time, item in events]
    write_files(tmp_path, [[record_of("u", events)]])
    _, found = read(tmp_path, 2)
    assert [example[0] for example in found] == [
        (b"", b""),
        (b"", b"a"),
        (b"", b"a"),
        (b"b", b"c"),
    ]
    assert [example[2] for example in found] == [(0, 0), (0, 1), (0, 1), (5, 5)]


@pytest.mark.parametrize("seed", [None, 4])
def test_a_long_history_in_several_records_is_one_history(tmp_path, seed):
    users = events_of([[(n, n % 7, n % 2) for n in range(40)], [(3, 1, 1)]])
    written(tmp_path, users, cut_at=9)
    _, found = read(tmp_path, 5, seed=seed, users_at_once=1)
    expected = [window[:9] for window in expected_of(users, 5)]
    assert sorted(example[:9] for example in found) == sorted(expected)


def test_many_windows_of_one_user_come_in_pieces(tmp_path):
    events = events_of([[(n, n % 7, 0) for n in range(9000)]])
    written(tmp_path, events, files=1)
    sizes, found = read(tmp_path, 4, 5000)
    assert sizes == [5000, 4000]
    assert found == expected_of(events, 4)


@pytest.mark.parametrize(
    ("span", "times"),
    [
        ((None, None), [2, 3, 3, 4]),
        ((3, None), [3, 3, 4]),
        ((None, 3), [2]),
        ((3, 4), [3, 3]),
        ((5, None), []),
        ((3, 3), []),
    ],
)
def test_a_span_holds_its_start_and_not_its_end(tmp_path, span, times):
    users = events_of([[(2, 0, 0), (3, 1, 0), (3, 2, 1), (4, 3, 0)]])
    written(tmp_path, users, files=1)
    _, found = read(tmp_path, span=span)
    assert [example[5] for example in found] == times
    assert [e for e in expected_of(users, 3) if e[5] in times] == found


@pytest.mark.parametrize(("files", "workers"), [(4, 2), (3, 2), (1, 3), (2, 1)])
@pytest.mark.parametrize("seed", [None, 1])
def test_workers_share_all_examples(tmp_path, files, workers, seed):
    users = events_of([[(n, n, 0) for n in range(u + 1)] for u in range(9)])
    written(tmp_path, users, files=files)
    shares = [
        read(tmp_path, seed=seed, worker=worker, workers=workers)[1]
        for worker in range(workers)
    ]
    assert sum(len(share) > 0 for share in shares) == workers
    assert sorted(itertools.chain(*shares)) == sorted(expected_of(users, 3))


def epochs_of(folder, seed, epochs=2):
    windows = sequence_windows(
        folder, SPEC, history_length=2, batch_size=4, seed=seed, users_at_once=3
    )
    return [examples_of(windows)[1] for _ in range(epochs)]


def test_a_seed_decides_the_order_and_every_epoch_has_another(tmp_path):
    users = events_of([[(n, n % 5, 0) for n in range(6)] for _ in range(10)])
    written(tmp_path, users)
    first, second = epochs_of(tmp_path, 1)
    assert first != second
    assert sorted(first) == sorted(second)
    assert epochs_of(tmp_path, 1) == [first, second]
    assert epochs_of(tmp_path, 2)[0] != first
    repeated = sequence_windows(
        tmp_path, SPEC, history_length=2, batch_size=4, seed=1, users_at_once=3
    ).repeat(2)
    assert examples_of(repeated)[1] == first + second


def test_one_users_events_are_shuffled_anew_each_epoch(tmp_path):
    written(tmp_path, events_of([[(n, n % 5, 0) for n in range(20)]]), files=1)
    first, second = epochs_of(tmp_path, 1)
    assert first != second
    assert sorted(first) == sorted(second)
    assert epochs_of(tmp_path, 2)[0] != first


def test_users_come_in_another_order_with_another_seed_and_epoch(tmp_path):
    written(tmp_path, events_of([[(n, n % 5, 0)] for n in range(30)]), files=1)

    def epochs(seed):
        windows = sequence_windows(
            tmp_path, SPEC, history_length=2, batch_size=9, seed=seed, users_at_once=1
        )
        return [examples_of(windows)[1] for _ in range(2)]

    first, second = epochs(1)
    assert first != second
    assert epochs(2)[0] != first


def test_shuffling_mixes_users_and_the_events_of_one_user(tmp_path):
    users = events_of([[(n, n % 5, 0) for n in range(20)] for _ in range(8)])
    written(tmp_path, users, files=1)
    (order,) = epochs_of(tmp_path, 1, epochs=1)
    first = order[:20]
    assert len({example[-2:] for example in first}) > 1
    times = [e[5] for e in order if e[-2] == b"city of u0"]
    assert times != sorted(times)


def test_every_event_is_encoded_once(tmp_path):
    users = events_of([[(n, n % 2, 0) for n in range(6)]])
    written(tmp_path, users, files=1)
    sizes = []

    def encode(columns):
        assert set(columns) == {
            "item_id", "event_type", "store", "wait", "city", "age"
        }  # fmt: skip
        tf.py_function(lambda x: sizes.append(len(x)), [columns["item_id"]], [])
        number = tf.strings.to_number(
            tf.strings.substr(columns["item_id"], 4, 1), tf.int32
        )
        return {**columns, "item_id": number + 7, "city": columns["city"] == ""}

    (batch,) = sequence_windows(
        tmp_path, SPEC, history_length=3, batch_size=9, encode=encode
    ).as_numpy_iterator()
    assert sizes == [6]
    assert batch["item_id"].tolist() == [7, 8, 7, 8, 7, 8]
    assert batch["history_item_id"].tolist() == [
        [0, 0, 0], [0, 0, 7], [0, 7, 8], [7, 8, 7], [8, 7, 8], [7, 8, 7],
    ]  # fmt: skip
    assert batch["history_event_type"][1].tolist() == [b"", b"", b"view"]
    assert batch["city"].tolist() == [False] * 6


def test_an_encoder_that_loses_a_column_is_refused(tmp_path):
    written(tmp_path, events_of([[(1, 1, 0)]]))
    with pytest.raises(ConfigError, match=r"encode: must return .* returned \[\]"):
        read(tmp_path, encode=lambda columns: {})


@pytest.mark.parametrize("length", [0, 513])
def test_a_history_that_the_records_do_not_hold_is_refused(tmp_path, length):
    with pytest.raises(ConfigError, match=rf"must be 1 to 512.*received {length};"):
        read(tmp_path, length)


def test_the_longest_history_is_read(tmp_path):
    users = events_of([[(n, n % 7, 0) for n in range(700)]])
    written(tmp_path, users, files=1)
    assert read(tmp_path, 512)[1] == expected_of(users, 512)


@pytest.mark.parametrize(("worker", "workers"), [(-1, 2), (2, 2), (0, 0)])
def test_an_impossible_worker_is_refused(tmp_path, worker, workers):
    with pytest.raises(ConfigError, match=f"received worker {worker} of {workers};"):
        read(tmp_path, worker=worker, workers=workers)


def test_a_folder_without_records_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="holds no records"):
        read(tmp_path)


def test_the_trainers_reader_cuts_the_same_windows(little_folder, little_encoded):
    """On the job's own dataset, looked up by the layer that models use."""
    dataset = Dataset.open(little_folder)
    lookup = FeatureLookup(dataset.spec, dataset.vocabularies)
    log, length = little_encoded.dataset.events, 3
    reader: QueryReader = little_encoded.reader(length)
    position = tf.range(len(log.item), dtype=tf.int64)
    theirs = reader(log.user, log.history_end(), log.timestamp, position)
    (ours,) = sequence_windows(
        little_folder, dataset.spec, history_length=length, batch_size=99, encode=lookup
    ).as_numpy_iterator()
    for name, values in theirs.items():
        np.testing.assert_array_equal(ours[name], values, err_msg=name)
    np.testing.assert_array_equal(ours["weight"], log.weight)
    token = little_encoded.catalogue["item_id"]
    np.testing.assert_array_equal(ours["item_id"], token[log.item])
