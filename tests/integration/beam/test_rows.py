"""The job's training rows against its sequences and against plain loops."""

import json

import pytest

import tfrs_app  # noqa: F401  (before TensorFlow: it asks for Keras 2)
from beam.events import EventShard
from beam.prepare import prepare
from tests.integration.beam import shop
from tests.integration.beam.test_prepare import (
    TEST_START,
    TRAIN_END,
    records_of,
    single,
)
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ArtifactError, ConfigError
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.rows import read_rows
from tfrs_app.data.streaming import sequence_windows
from tfrs_app.layers.lookup import FeatureLookup

TEST_END = TEST_START + 5 * 86400
SPANS = {
    "train": (None, TRAIN_END),
    "validation": (TRAIN_END, TEST_START),
    "test": (TEST_START, TEST_END),
}
LENGTH = 6


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = shop.write_shop(tmp_path_factory.mktemp("shop"))
    overrides = (
        "data.layout=rows", f"data.row_history_length={LENGTH}",
        "data.split.test_end=2020-01-26",
    )  # fmt: skip
    return prepare(shop.loaded(path, *overrides))


def test_rows_of_a_span_are_its_events(folder):
    stats = json.loads((folder / "stats.json").read_text())
    assert stats["rows"] == {"history_length": LENGTH}
    assert stats["events"]["after_test"] > 0  # and they are in no span
    for span in SPANS:
        found = list(records_of(folder / "rows" / span))
        assert len(found) == stats["events"][span]
        assert len(list((folder / "rows" / span).iterdir())) == 3
    assert {f"rows/{span}" for span in SPANS} == {
        name.rsplit("/", 1)[0]
        for name in verify(folder).files
        if name.startswith("rows/")
    }


@pytest.mark.parametrize("span", SPANS)
def test_a_row_holds_what_a_loop_finds(folder, span):
    users = {str(row["customer"]): row for row in shop.made_users()}
    expected = []
    start, end = SPANS[span]
    for user, events in shop.expected_events().items():
        for event in events:
            if (start or 0) <= event[0] < end:
                seen = [e for e in events if e[0] < event[0]][-LENGTH:]
                expected.append((user, event, seen))
    found = [record for _, record in records_of(folder / "rows" / span)]
    found.sort(key=lambda r: (r["user_id"][0].decode(), r["timestamp"], r["item_id"]))
    expected.sort(key=lambda e: (e[0], e[1][0], e[1][1]))
    assert len(found) == len(expected)
    for row, (user, event, seen) in zip(found, expected, strict=True):
        assert row["user_id"] == [user.encode()]
        assert row["timestamp"] == [event[0]]
        assert row["item_id"] == [event[1]]
        assert row["history_timestamp"] == [e[0] for e in seen]
        assert row["history_item_id"] == [e[1] for e in seen]
        assert row["history_event_type"] == [e[2] for e in seen]
        assert row["weight"] == [{b"view": 0.25, b"purchase": 1}[row["event_type"][0]]]
        assert ("city" in row) == (user in users)
        if user in users:
            assert row["city"] == [(users[user]["city"] or "").encode()]
    own = ("event_type", "price", "quantity", "session_id", "store", "wait")
    rows = [[repr(row[name][0]) for name in own] for row in found]
    plain = [
        [
            repr(value)
            for value in (
                e[2], *map(float, single([e[3], e[4]])), e[5], e[6],
                float(single([e[7]])[0]),
            )
        ]
        for _, e, _ in expected
    ]  # fmt: skip
    assert sorted(rows) == sorted(plain)


def keyed(dataset):
    """Every example as text, sorted: two readers may order them differently."""
    found = []
    for batch in dataset.as_numpy_iterator():
        names = sorted(batch)
        for values in zip(*(batch[name] for name in names), strict=True):
            pairs = zip(names, values, strict=True)
            found.append(
                repr([(n, v.tolist() if n[0] == "h" else v) for n, v in pairs])
            )
    return sorted(found)


@pytest.mark.parametrize(
    ("span", "encode", "length"),
    [  # every pair of settings
        ("train", False, 1), ("train", True, LENGTH),
        ("validation", False, LENGTH), ("validation", True, 1),
        ("test", False, 1), ("test", True, LENGTH),
    ],
)  # fmt: skip
def test_rows_are_the_windows_of_the_sequences(folder, span, encode, length):
    dataset = Dataset.open(folder)
    lookup = FeatureLookup(dataset.spec, dataset.vocabularies) if encode else None
    sizes = {"history_length": length, "batch_size": 7, "encode": lookup}
    rows = read_rows(folder, dataset.spec, span, **sizes)
    windows = sequence_windows(folder, dataset.spec, span=SPANS[span], **sizes)
    assert rows.element_spec.keys() == windows.element_spec.keys()
    for name, spec in windows.element_spec.items():
        assert rows.element_spec[name].dtype == spec.dtype, name
        assert rows.element_spec[name].shape.rank == spec.shape.rank, name
    found = keyed(rows)
    assert found == keyed(windows)
    assert len(found) == dataset.statistics["events"][span]


def test_a_seed_decides_the_order_of_rows(folder):
    spec = Dataset.open(folder).spec

    def epochs(seed):
        rows = read_rows(
            folder, spec, "train", history_length=2, batch_size=16, seed=seed
        )
        return [
            [time for batch in rows for time in batch["timestamp"].numpy()]
            for _ in range(2)
        ]

    first, second = epochs(1)
    assert sorted(first) == sorted(second)
    assert first != second
    assert epochs(1) == [first, second]
    assert epochs(2)[0] != first
    assert epochs(None)[0] == epochs(None)[1]


def test_a_history_longer_than_the_rows_is_refused(folder):
    spec = Dataset.open(folder).spec
    with pytest.raises(ConfigError, match=r"must be 1 to 6, .* received 7;"):
        read_rows(folder, spec, "train", history_length=7, batch_size=2)


def test_an_unknown_span_is_refused(folder):
    spec = Dataset.open(folder).spec
    with pytest.raises(ConfigError, match=r"span: must be one of .* received 'dev'"):
        read_rows(folder, spec, "dev", history_length=2, batch_size=2)


def test_a_dataset_without_rows_is_refused(little_folder):
    spec = Dataset.open(little_folder).spec
    with pytest.raises(
        ArtifactError, match=r"holds no training rows; set data\.layout"
    ):
        read_rows(little_folder, spec, "train", history_length=2, batch_size=2)
    assert not (little_folder / "rows").exists()


def test_the_rows_do_not_change_the_sequences(folder, tmp_path):
    other = prepare(shop.loaded(shop.write_shop(tmp_path)))
    for path in (folder / "sequences").iterdir():
        assert (other / "sequences" / path.name).read_bytes() == path.read_bytes()


def test_a_runner_that_skips_a_file_of_rows_is_caught(tmp_path, monkeypatch):
    path = shop.write_shop(tmp_path)
    written = EventShard.write

    def skipping(self, shard, messages):
        report = written(self, shard, messages)
        if shard == 1:
            next((self.output / "rows" / "test").glob("part-00001-*")).unlink()
        return report

    monkeypatch.setattr(EventShard, "write", skipping)
    with pytest.raises(RuntimeError, match=r"rows/test/part-00001.* it is absent here"):
        prepare(shop.loaded(path, "data.layout=rows"))
