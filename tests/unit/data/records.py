"""Sequence records written by TensorFlow from plain rows, and the rows themselves."""

import math
from bisect import bisect_left

import tensorflow as tf

from tfrs_app.contract.features import FeatureSpec

SPEC = FeatureSpec.model_validate(
    {
        "event_weights": {"view": 0.25, "purchase": 1.0},
        "features": [
            {"name": "city", "role": "query", "kind": "categorical"},
            {"name": "age", "role": "query", "kind": "numeric"},
            {"name": "store", "role": "context", "kind": "categorical"},
            {"name": "wait", "role": "context", "kind": "numeric"},
            {"name": "timestamp", "role": "context", "kind": "timestamp"},
        ],
    }
)
WEIGHTS = {b"view": 0.25, b"purchase": 1.0}


def feature_of(values):
    if values and isinstance(values[0], int):
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
    if values and isinstance(values[0], float):
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))


def event_of(number, time, item, kind):
    """(time, item, type, store, wait); the last two tell events apart."""
    return (
        time,
        f"item{item}".encode(),
        [b"view", b"purchase"][kind],
        f"store{number}".encode(),
        float(number),
    )


def record_of(user, events, target_start=0, profile=True):
    columns = list(zip(*events, strict=True))
    names = ("timestamp", "item_id", "event_type", "context_store", "context_wait")
    features = {
        "user_id": [user.encode()],
        "target_start": [target_start],
        **{name: list(values) for name, values in zip(names, columns, strict=True)},
    }
    if profile:
        features |= {"city": [f"city of {user}".encode()], "age": [float(len(events))]}
    features = {name: feature_of(values) for name, values in features.items()}
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString()


def write_files(folder, files):
    """Writes lists of records as `sequences/part-*`."""
    (folder / "sequences").mkdir(parents=True, exist_ok=True)
    for number, records in enumerate(files):
        path = folder / "sequences" / f"part-{number}.tfrecord"
        with tf.io.TFRecordWriter(str(path)) as writer:
            for record in records:
                writer.write(record)


def windows_of(events, length, *, city=b"", age=math.nan):
    """All examples of one user, by a plain loop, as tuples; times must ascend."""
    found, times = [], [event[0] for event in events]
    assert times == sorted(times)
    for time, item, kind, store, wait in events:
        earlier = bisect_left(times, time)
        seen = events[max(0, earlier - length) : earlier]
        padding = length - len(seen)
        found.append(
            (
                (b"",) * padding + tuple(event[1] for event in seen),
                (b"",) * padding + tuple(event[2] for event in seen),
                (0,) * padding + tuple(event[0] for event in seen),
                item, kind, time, WEIGHTS[kind], store, wait, city, repr(age),
            )
        )  # fmt: skip
    return found


def examples_of(dataset):
    """The batches' sizes, and all examples as tuples in the order of `windows_of`."""
    sizes, found = [], []
    for batch in dataset.as_numpy_iterator():
        assert set(batch) == {
            "history_item_id", "history_event_type", "history_timestamp", "item_id",
            "event_type", "timestamp", "weight", "store", "wait", "city", "age",
        }  # fmt: skip
        sizes.append(len(batch["item_id"]))
        for n in range(sizes[-1]):
            histories = ("history_item_id", "history_event_type", "history_timestamp")
            scalars = ("item_id", "event_type", "timestamp", "weight", "store", "wait")
            found.append(
                (
                    *(tuple(batch[name][n].tolist()) for name in histories),
                    *(batch[name][n] for name in scalars),
                    batch["city"][n],
                    repr(float(batch["age"][n])),
                )
            )
    return sizes, found
