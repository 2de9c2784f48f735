import hashlib

import pyarrow as pa

from beam.shuffle import pack, partition, unpack


def table_of(ids):
    column = pa.array(ids, pa.large_string())
    return pa.table({"user_id": column, "n": range(len(ids))})


def test_rows_go_where_the_digest_of_their_id_says():
    ids = [f"user {i % 40}" for i in range(200)] + ["ä", ""]
    parts = partition(table_of(ids), "user_id", 7)
    assert sum(len(part) for part in parts) == len(ids)
    for shard, part in enumerate(parts):
        for text in part["user_id"].to_pylist():
            digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
            assert int.from_bytes(digest, "little") % 7 == shard
        assert part["n"].to_pylist() == sorted(part["n"].to_pylist())


def test_the_digest_never_changes():
    """Records of an earlier version must stay in the shard where they were."""
    parts = partition(table_of(["1", "2", "3", "4", "5"]), "user_id", 4)
    found = [part["user_id"].to_pylist() for part in parts]
    assert found == [[], ["4"], ["1", "3"], ["2", "5"]]


def test_messages_carry_rows_and_split():
    table = table_of(["a", "b", "c"])
    messages = [pack(table.slice(1, 1), 3), pack(table.slice(0, 0), 9)]
    (first, one), (second, none) = unpack(messages)
    assert (first, second) == (3, 9)
    assert one.to_pylist() == [{"user_id": "b", "n": 1}]
    assert none.schema == table.schema
    assert len(none) == 0
