import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.little_shop import DAY, T0
from tfrs_app.contract.artifacts import read_manifest, write_manifest
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.data.dataset import Dataset, _merged
from tfrs_app.data.examples import read_sequences

NAN = math.nan


@pytest.fixture
def dataset(little_folder):
    return Dataset.open(little_folder)


@pytest.fixture
def copy(little_folder, tmp_path) -> Path:
    """A copy of the little dataset, to be damaged."""
    return Path(shutil.copytree(little_folder, tmp_path / little_folder.name))


def reseal(folder, kind="dataset"):
    old = read_manifest(folder)
    write_manifest(
        folder,
        kind=kind,
        identity=old.id,
        parent=None,
        spec_fingerprint=old.spec_fingerprint,
        counts=old.counts,
    )


def test_the_catalogue_holds_raw_values_in_the_order_of_ids(dataset):
    catalogue = dataset.catalogue
    ids = [b"apple", b"bread", b"cheese", b"date", b"egg"]
    assert catalogue["item_id"].tolist() == ids
    assert catalogue["colour"].tolist() == [b"red", b"", b"yellow", b"red", b"[UNK]"]
    np.testing.assert_array_equal(catalogue["size"], [1.5, NAN, 2.5, 4.0, 8.0])
    texts = [b"apple Crisp", b"bread", b"cheese Old", b"date Sweet", b"egg Fresh"]
    assert catalogue["title"].tolist() == texts


def by_user(log):
    """User id -> {name: list of the user's values}, whatever the order of users."""
    found = {}
    for user, name in enumerate(log.user_id):
        own = slice(log.row_splits[user], log.row_splits[user + 1])
        found[name.decode()] = {
            "item": log.item[own].tolist(),
            "type": log.event_type[own].tolist(),
            "day": ((log.timestamp[own] - T0) / DAY).tolist(),
            **{k: v[own].tolist() for k, v in log.context.items()},
            **{k: v[user] for k, v in log.profile.items()},
        }
    return found


def test_events_are_catalogue_rows_grouped_by_user(dataset):
    users = by_user(dataset.events)
    assert set(users) == {"ann", "bob", "cid"}
    ann = users["ann"]
    # One moment's events ascend by item id.
    assert ann["item"] == [1, 0, 2, 0, 0, 3]
    assert ann["type"] == [0, 1, 1, 1, 0, 1]
    assert ann["day"] == [0, 1, 1, 10, 20, 20]
    assert users["bob"]["item"] == [0, 4, 4]
    assert users["cid"]["item"] == [3, 1]
    assert dataset.events.row_splits[-1] == 11


def test_context_stands_beside_its_event(dataset):
    ann = by_user(dataset.events)["ann"]
    assert ann["store"] == [b"north", b"north", b"", *[b"south"] * 3]
    np.testing.assert_array_equal(ann["wait"], [1.0, NAN, 2.0, 0.5, 0.5, 0.5])


def test_a_missing_profile_is_an_empty_text_and_nan(dataset):
    users = by_user(dataset.events)
    assert (users["ann"]["city"], users["ann"]["age"]) == (b"Ulm", 30)
    for user in ("bob", "cid"):  # bob's row is empty, cid has none
        assert users[user]["city"] == b""
        assert math.isnan(users[user]["age"])


def test_split_vocabularies_and_statistics(dataset):
    assert dataset.split.validation_start == T0 + 9 * DAY
    assert dataset.split.test_start == T0 + 19 * DAY
    assert dataset.split.test_end is None
    vocabularies = dataset.vocabularies
    assert set(vocabularies) == {"item_id", "colour", "city", "store"}
    # Most frequent first, ties by bytes; of the training span for item_id.
    assert vocabularies["item_id"] == ["apple", "bread", "cheese", "date", "egg"]
    assert vocabularies["colour"] == ["red", "[UNK]", "yellow"]
    assert dataset.numeric["size"].mean == 4.0
    assert dataset.numeric["size"].std == pytest.approx(math.sqrt(6.125))
    assert len(dataset.numeric["age"].quantiles) == 101
    assert dataset.train_events.tolist() == [2, 1, 1, 1, 1]


def test_a_run_is_no_dataset(copy):
    reseal(copy, kind="retrieval")
    with pytest.raises(ArtifactError, match="is a retrieval, not a dataset"):
        Dataset.open(copy)


def test_a_damaged_dataset_is_refused(copy):
    shard = next(path for path in (copy / "sequences").iterdir())
    shard.write_bytes(shard.read_bytes() + b"x")
    with pytest.raises(ArtifactError, match="changed since it was written"):
        Dataset.open(copy)


def test_an_absent_dataset_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="absent or unfinished"):
        Dataset.open(tmp_path / "none")


def test_another_spec_is_refused(copy):
    path = copy / "feature_spec.json"
    spec = json.loads(path.read_text())
    spec["event_weights"]["view"] = 0.5
    path.write_text(json.dumps(spec))
    reseal(copy)
    with pytest.raises(ArtifactError, match="is not the spec that the data has"):
        Dataset.open(copy)


def test_an_event_without_an_item_record_is_refused(copy):
    for path in (copy / "items").iterdir():
        records = list(tf.data.TFRecordDataset(str(path)).as_numpy_iterator())
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                if b"cheese" not in record:
                    writer.write(record)
    reseal(copy)
    with pytest.raises(ArtifactError, match="events name items without a record"):
        Dataset.open(copy).events  # noqa: B018


def test_merging_leaves_whole_histories_alone():
    columns = {
        "user_id": np.array([b"a", b"b"], object),
        "length": np.array([2, 1]),
        "target_start": np.array([0, 0]),
        "timestamp": np.array([1, 2, 3]),
    }
    merged = _merged(columns)
    assert merged["timestamp"].tolist() == [1, 2, 3]
    assert merged["length"].tolist() == [2, 1]
    assert merged["user_id"].tolist() == [b"a", b"b"]


def test_merging_drops_the_copied_events_of_later_records():
    # b's history 3 4 5 6 7 8 was cut in three: 3 4 5 | (4 5) 6 7 | (7) 8.
    columns = {
        "user_id": np.array([b"a", b"b", b"b", b"b", b"c"], object),
        "city": np.array([b"x", b"y", b"y", b"y", b""], object),
        "length": np.array([2, 3, 4, 2, 1]),
        "target_start": np.array([0, 0, 2, 1, 0]),
        "timestamp": np.array([1, 2, 3, 4, 5, 4, 5, 6, 7, 7, 8, 9]),
    }
    merged = _merged(columns)
    assert merged["timestamp"].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert merged["length"].tolist() == [2, 6, 1]
    assert merged["user_id"].tolist() == [b"a", b"b", b"c"]
    assert merged["city"].tolist() == [b"x", b"y", b""]


def test_merging_records_of_one_event_each():
    columns = {
        "user_id": np.array([b"a", b"b"], object),
        "length": np.array([1, 1]),
        "target_start": np.array([0, 0]),
        "timestamp": np.array([5, 3]),
    }
    merged = _merged(columns)
    assert merged["timestamp"].tolist() == [5, 3]
    assert merged["user_id"].tolist() == [b"a", b"b"]


def record(user, start, items, days, **more):
    def feature(values):
        if isinstance(values[0], int):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        if isinstance(values[0], float):
            return tf.train.Feature(float_list=tf.train.FloatList(value=values))
        values = [value.encode() for value in values]
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

    count = len(items)
    columns = {
        "user_id": [user],
        "target_start": [start],
        "item_id": items,
        "event_type": ["purchase"] * count,
        "timestamp": [T0 + day * DAY for day in days],
        "context_store": ["north"] * count,
        "context_wait": [float(day) for day in days],
        **more,
    }
    features = {name: feature(values) for name, values in columns.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString()


def test_the_records_of_a_cut_history_become_one_user(copy):
    first, second = sorted((copy / "sequences").iterdir())
    with tf.io.TFRecordWriter(str(first)) as writer:
        writer.write(record("ann", 0, ["apple", "bread", "egg"], [0, 1, 2], age=[3.0]))
        writer.write(record("ann", 2, ["bread", "egg", "date"], [1, 2, 3], age=[3.0]))
        writer.write(record("bob", 0, ["egg"], [4], city=["Ulm"]))
    with tf.io.TFRecordWriter(str(second)) as writer:
        writer.write(record("cid", 0, ["date", "egg"], [5, 5]))
    reseal(copy)
    dataset = Dataset.open(copy)
    users = by_user(dataset.events)
    assert list(users) == ["ann", "bob", "cid"]
    assert users["ann"]["item"] == [0, 1, 4, 3]
    assert users["ann"]["wait"] == [0, 1, 2, 3]
    assert users["ann"]["age"] == 3
    assert users["bob"]["item"] == [4]
    assert users["bob"]["city"] == b"Ulm"
    assert users["cid"]["day"] == [5, 5]


def test_read_sequences_flattens_events_and_counts_them(little_folder, dataset):
    columns = read_sequences(little_folder, dataset.spec)
    lengths = dict(zip(columns["user_id"], columns["length"], strict=True))
    assert lengths == {b"ann": 6, b"bob": 3, b"cid": 2}
    assert columns["target_start"].tolist() == [0, 0, 0]
    assert {len(columns[n]) for n in ("item_id", "timestamp", "context_wait")} == {11}


def test_a_shard_that_the_manifest_lacks_is_not_read(copy):
    """Else a leftover file changes what models are trained on, unnoticed."""
    with tf.io.TFRecordWriter(str(copy / "sequences" / "stray.tfrecord")) as writer:
        writer.write(record("eve", 0, ["egg"], [4]))
    try:
        users = Dataset.open(copy).events.user_id.tolist()
    except ArtifactError:
        return
    assert b"eve" not in users
