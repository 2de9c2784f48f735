import json  # noqa: I001  (tfrs_app before TensorFlow: it asks for Keras 2)
import statistics
from collections import Counter
from itertools import chain

import tfrs_app  # noqa: F401
import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from beam.prepare import dataset_identity, prepare
from tests.integration.beam import shop
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.features import FeatureSpec

TRAIN_END = 1578700800  # 2020-01-11T00:00:00Z
TEST_START = 1579564800  # 2020-01-21T00:00:00Z
NAN = float("nan")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop")
    config = shop.loaded(shop.write_shop(folder))
    return config, prepare(config)


def content_of(folder, *, but=("manifest.json",)):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in but
    }


def records_of(folder):
    """(shard, {name: values}) of each Example in a folder of TFRecords."""
    for shard, path in enumerate(sorted(folder.glob("part-*"))):
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            yield (
                shard,
                {
                    name: list(getattr(value, value.WhichOneof("kind")).value)
                    for name, value in features.items()
                },
            )


def single(numbers):
    return [np.float32(NAN if n in (None, float("inf")) else n) for n in numbers]


def test_sequences_are_what_a_loop_finds(made):
    users = {str(row["customer"]): row for row in shop.made_users()}
    expected = shop.expected_events()
    found = [record for _, record in records_of(made[1] / "sequences")]
    assert {record["user_id"][0].decode() for record in found} == set(expected)
    assert len(found) == len(expected)
    for record in found:
        user = record["user_id"][0].decode()
        columns = list(zip(*expected[user], strict=True))
        assert record["timestamp"] == list(columns[0])
        assert record["item_id"] == list(columns[1])
        assert record["event_type"] == list(columns[2])
        np.testing.assert_array_equal(record["price"], single(columns[3]))
        np.testing.assert_array_equal(record["quantity"], single(columns[4]))
        assert record["session_id"] == list(columns[5])
        assert record["context_store"] == list(columns[6])
        np.testing.assert_array_equal(record["context_wait"], single(columns[7]))
        assert record["target_start"] == [0]
        if user in users:
            assert record["city"] == [(users[user]["city"] or "").encode()]
            np.testing.assert_array_equal(record["age"], single([users[user]["age"]]))
        else:
            assert not {"city", "age"} & set(record)


def test_items_ascend_by_bytes_over_the_files(made):
    expected = shop.expected_items()
    found = list(records_of(made[1] / "items"))
    ids = [record["item_id"][0].decode() for _, record in found]
    assert ids == sorted(expected, key=str.encode)
    assert Counter(shard for shard, _ in found) == {0: 6, 1: 6, 2: 6}
    for (_, record), name in zip(found, ids, strict=True):
        row = expected[name]
        assert record["color"] == [row["color"].encode()]
        np.testing.assert_array_equal(record["size"], single([row["size"]]))
        texts = [text for text in (row["name"], row["color"]) if text]
        assert record["title"] == [" ".join(texts).encode()]


def test_users_are_all_there(made):
    found = {r["user_id"][0].decode(): r for _, r in records_of(made[1] / "users")}
    for row in shop.made_users():
        record = found.pop(str(row["customer"]))
        assert record["city"] == [(row["city"] or "").encode()]
        np.testing.assert_array_equal(record["age"], single([row["age"]]))
    assert not found


def test_item_statistics_and_vocabulary_count_the_training_span(made):
    weights = {b"view": 0.25, b"purchase": 1.0}
    events, weight, users = Counter(), Counter(), {}
    for user, history in shop.expected_events().items():
        for moment, item, kind, *_ in history:
            if moment < TRAIN_END:
                events[item.decode()] += 1
                weight[item.decode()] += weights[kind]
                users.setdefault(item.decode(), set()).add(user)
    columns = ["item_id", "train_events", "train_weight", "train_users"]
    path = made[1] / "item_statistics.parquet"
    table = pq.read_table(path, columns=columns).to_pylist()
    catalogue = sorted(shop.expected_items(), key=str.encode)
    assert table == [
        {
            "item_id": item,
            "train_events": events[item],
            "train_weight": weight[item],
            "train_users": len(users.get(item, ())),
        }
        for item in catalogue
    ]
    tokens = (made[1] / "vocabularies" / "item_id.txt").read_text().split("\n")
    assert tokens[:-1] == sorted(events, key=lambda i: (-events[i], i.encode()))


def test_vocabularies_and_stats(made):
    stats = json.loads((made[1] / "stats.json").read_text())
    events = list(chain(*shop.expected_events().values()))
    train = [event for event in events if event[0] < TRAIN_END]
    test = [event for event in events if event[0] >= TEST_START]
    assert stats["events"] == {
        "train": len(train),
        "validation": len(events) - len(train) - len(test),
        "test": len(test),
        "after_test": 0,
        "by_type": dict(sorted(Counter(e[2].decode() for e in events).items())),
    }
    assert stats["users"]["with_events"] == len(shop.expected_events())
    profiled = {str(row["customer"]) for row in shop.made_users()}
    assert stats["users"]["profiled"] == len(profiled & set(shop.expected_events()))
    assert stats["items"]["catalogue"] == len(shop.expected_items())
    assert stats["items"]["with_train_events"] == len({e[1] for e in train})
    stores = Counter(e[6].decode() for e in train)
    assert (made[1] / "vocabularies" / "store.txt").read_text() == "".join(
        f"{s}\n" for s in sorted(stores, key=lambda s: (-stores[s], s)) if s
    )
    assert stats["vocabularies"]["store"] == {
        "size": 2,
        "dropped": 0,
        "nulls": stores[""],
    }
    assert (made[1] / "vocabularies" / "city.txt").read_text() == "Köln\nUlm\nBonn\n"
    waits = [float(np.float32(e[7])) for e in train if e[7] != float("inf")]
    assert stats["numeric"]["wait"]["mean"] == pytest.approx(statistics.fmean(waits))
    assert stats["numeric"]["wait"]["nulls"] == len(train) - len(waits)
    sizes = [row["size"] for row in shop.expected_items().values() if row["size"]]
    assert stats["numeric"]["size"]["max"] == max(sizes)
    assert stats["split"]["test_end"] is None


def test_the_rows_balance_and_rejects_name_their_rows(made):
    counts = verify(made[1]).counts
    rows, kept = shop.made_events(), chain(*shop.expected_events().values())
    events = counts["events"]
    assert events["rows_in"] == len(rows)
    assert events["rows_out"] == len(list(kept))
    assert events["rejected_by_reason"] == {
        "item not in the catalogue": 1,
        "event type without a weight": 1,
        "no user_id": 1,
        "no timestamp": 1,
    }
    lines = (made[1] / "rejects" / "events.jsonl").read_text().splitlines()
    rejects = [json.loads(line) for line in lines]
    assert [reject["row"] for reject in rejects] == [100, 105, 110, 115]
    assert {reject["file"] for reject in rejects} == {"events.parquet"}
    assert rejects[1]["content"]["kind"] == "return"
    assert counts["items"] == {
        "rows_in": 31, "rows_out": 18, "filtered": 12, "rejected": 0, "duplicates": 1,
        "returned": 0, "forgotten": 0, "rejected_by_reason": {},
    }  # fmt: skip
    for table in counts.values():
        fates = ("rows_out", "filtered", "rejected", "duplicates")
        assert table["rows_in"] == sum(table[fate] for fate in fates)


def test_the_spec_travels(made):
    config, folder = made
    text = (folder / "feature_spec.json").read_text()
    assert FeatureSpec.model_validate_json(text) == config.spec
    assert verify(folder).spec_fingerprint == config.spec.fingerprint


def test_no_work_file_is_left(made):
    folders = {path.name for path in made[1].iterdir() if path.is_dir()}
    assert folders == {
        "co_purchases", "items", "rejects", "sequences", "users", "vocabularies",
    }  # fmt: skip
    assert [p.name for p in made[1].parent.iterdir() if p.is_dir()] == [made[1].name]


@pytest.mark.parametrize("ending", shop.ENDINGS[1:])
def test_every_format_gives_the_same_records(made, tmp_path, ending):
    config = shop.loaded(shop.write_shop(tmp_path, ending))
    other, reference = content_of(prepare(config)), content_of(made[1])
    assert set(other) == set(reference)
    for name in reference:
        if not name.startswith("rejects"):
            assert other[name] == reference[name], name


def test_two_runs_give_the_same_bytes_and_an_unchanged_dataset_stays(made, capfd):
    config, folder = made
    before = content_of(folder)
    inode = folder.stat().st_ino
    assert prepare(config) == folder
    assert folder.stat().st_ino == inode
    assert "unchanged" in capfd.readouterr().err
    assert prepare(config, force=True) == folder
    assert folder.stat().st_ino != inode
    assert content_of(folder) == before


def test_a_damaged_dataset_is_made_again(made):
    config, folder = made
    before = content_of(folder)
    (folder / "vocabularies" / "city.txt").write_text("Ulm\n")
    assert prepare(config) == folder
    assert content_of(folder) == before


def test_the_identity_follows_content_config_and_nothing_else(made, tmp_path):
    config, folder = made
    assert dataset_identity(config) == folder.name
    same = config.model_copy(update={"artifacts": "elsewhere"})
    assert dataset_identity(same) == folder.name
    data = config.data.model_copy(update={"shards": 5})
    assert dataset_identity(config.model_copy(update={"data": data})) != folder.name
    path = tmp_path / "users.parquet"
    shop.write_table(path, shop.made_users()[:-1])
    users = config.data.users.model_copy(update={"source": str(path)})
    data = config.data.model_copy(update={"users": users})
    assert dataset_identity(config.model_copy(update={"data": data})) != folder.name


def test_one_shard_and_many_shards_hold_the_same(made, tmp_path):
    path = shop.write_shop(tmp_path)
    items = [record["item_id"] for _, record in records_of(made[1] / "items")]
    for shards in (1, 25):  # some of the 25 stay empty
        folder = prepare(shop.loaded(path, f"data.shards={shards}"))
        for name in ("item_statistics.parquet", "vocabularies/store.txt"):
            assert (folder / name).read_bytes() == (made[1] / name).read_bytes()
        found = [record["item_id"] for _, record in records_of(folder / "items")]
        assert found == items
        assert len(list((folder / "sequences").iterdir())) == shards
        users = [record["user_id"][0] for _, record in records_of(folder / "sequences")]
        assert sorted(users) == sorted(u.encode() for u in shop.expected_events())


def test_a_shop_without_users_or_features(tmp_path):
    path = shop.write_shop(tmp_path)
    folder = prepare(shop.loaded(path, "data.users=null", "features=[]"))
    counts = verify(folder).counts["users"]
    assert counts["rows_in"] == counts["rows_out"] == 0
    assert not (folder / "users").exists()
    record = next(records_of(folder / "sequences"))[1]
    assert set(record) == {
        "user_id", "item_id", "event_type", "timestamp", "price", "quantity",
        "session_id", "target_start",
    }  # fmt: skip


def test_events_without_types_get_the_configured_one(tmp_path):
    events = [{k: v for k, v in e.items() if k != "kind"} for e in shop.made_events()]
    path = shop.write_shop(tmp_path, events=events)
    config = shop.loaded(
        path,
        "data.events.columns={user_id: customer, item_id: product, timestamp: moment}",
        "data.events.event_type=view",
    )
    folder = prepare(config)
    for _, record in records_of(folder / "sequences"):
        assert set(record["event_type"]) == {b"view"}
        assert len(record["event_type"]) == len(record["item_id"])
    rows = pq.read_table(folder / "item_statistics.parquet").to_pylist()
    assert all(row["train_weight"] == row["train_events"] / 4 for row in rows)
    stats = json.loads((folder / "stats.json").read_text())
    assert stats["events"]["by_type"]["purchase"] == 0
