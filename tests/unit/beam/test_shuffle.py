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


def test_a_message_carries_only_the_texts_that_its_rows_hold():
    texts = ["a", None, "b", "c", "b", None]
    column = pa.array(texts, pa.large_string()).dictionary_encode()
    for start, stop in ((0, 6), (1, 3), (2, 5), (1, 2), (3, 3)):
        rows = pa.table({"session_id": column}).slice(start, stop - start)
        ((_, table),) = unpack([pack(rows, 0)])
        held = table["session_id"].combine_chunks()
        assert held.to_pylist() == texts[start:stop]
        assert set(held.dictionary.to_pylist()) == set(texts[start:stop]) - {None}


def test_coded_ids_go_where_plain_ones_go():
    table = table_of([f"user {i % 40}" for i in range(200)])
    coded = table.set_column(0, "user_id", table["user_id"].dictionary_encode())
    plain, encoded = (partition(t, "user_id", 7) for t in (table, coded))
    assert [t.to_pylist() for t in plain] == [t.to_pylist() for t in encoded]
