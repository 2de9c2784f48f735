import random
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam.basket_files import (
    basket_items_path,
    baskets_path,
    merge_item_baskets,
    write_purchases,
)
from beam.baskets import BasketRule
from beam.catalogue import merge_catalogue
from beam.co_purchases import CoPurchases
from beam.range_reports import RangeReport, SentReport, audit_co_purchases, range_path
from beam.range_reports import sent_path as sent_report_path
from beam.shuffle import pack, unpack
from beam.sinks import read_table, write_table
from tests.unit.beam.basket_loops import loop_baskets, loop_co_purchases
from tests.unit.beam.test_baskets import HOUR, PURCHASES, purchases
from tfrs_app.contract.data_config import CoPurchasesConfig

IDS = ["10", "9", "a", "b", "Ä", "ä", "ü"]  # ascending by bytes
LOG = [
    (user, item, day * 24 * HOUR, session)
    for user in range(3)
    for day, (session, items) in enumerate([(0, (0, 1, 6)), (None, (1, 4)), (2, (0,))])
    for item in items
]


class Stage:
    """Runs the stage as a runner would: every message by hand, in any order."""

    def __init__(self, folder, rows, shards, rule, **config):
        self.work = folder / "work"
        self.output = folder / "co_purchases"
        catalogue = merge_catalogue([pa.array(IDS, pa.large_string())], [])
        catalogue.save(self.work)
        self.counts = [
            write_purchases(
                self.work, s, purchases([r for r in rows if r[0] % shards == s]), rule
            )
            for s in range(shards)
        ]
        known = merge_item_baskets(self.work, self.counts, len(IDS))
        known.save(self.work)
        self.stage = CoPurchases(
            CoPurchasesConfig(**config),
            self.work,
            self.work,
            self.work,
            self.output,
            shards,
        )

    def messages(self):
        """Returns {range: messages of all shards}."""
        received = {}
        for shard in range(self.stage.shards):
            for index, message in self.stage.send(shard):
                received.setdefault(index, []).append(message)
        return received

    def run(self):
        for index, messages in self.messages().items():
            random.Random(3).shuffle(messages)
            self.stage.write(index, messages)
        return self.audit()

    def audit(self):
        return audit_co_purchases(self.work, self.counts)

    def rows(self):
        paths = sorted(self.output.iterdir())
        return [
            tuple(row.values()) for p in paths for row in pq.read_table(p).to_pylist()
        ]


def named(rows):
    return [(IDS[a], IDS[b], n, lift) for a, b, n, lift in rows]


@settings(deadline=None, max_examples=60)
@given(
    PURCHASES.map(lambda rows: rows * 2),  # doubles meet without a new basket
    st.sampled_from([1, 2, 4, 9]),
    st.integers(1, 3),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.5, 5.0]),
    st.integers(2, 6),
)
def test_any_log_gives_what_a_loop_finds(rows, shards, least, top, shrinkage, largest):
    with tempfile.TemporaryDirectory() as folder:
        rule = BasketRule(True, 48 * HOUR, largest)
        config = {"shrinkage": shrinkage, "min_baskets": least, "top": top}
        stage = Stage(Path(folder), rows, shards, rule, **config)
        written = stage.run()
        baskets = loop_baskets(rows, hours=48)
        expected = loop_co_purchases(baskets, shrinkage, least, top, largest)
        assert stage.rows() == named(expected)
        assert written == len(expected)
        large = sum(len(basket) > largest for basket in baskets)
        assert sum(counts.too_large for counts in stage.counts) == large
        assert sum(counts.baskets for counts in stage.counts) == len(baskets) - large


RULE = BasketRule(True, 24 * HOUR, 200)


@pytest.fixture
def stage(tmp_path):
    made = Stage(tmp_path, LOG, 2, RULE)
    assert made.run() == 8
    return made


def test_the_files_say_what_they_hold(stage):
    paths = sorted(path.name for path in stage.output.iterdir())
    assert paths == ["part-00000-of-00002.parquet", "part-00001-of-00002.parquet"]
    for name in paths:
        schema = pq.read_schema(stage.output / name)
        assert [str(field.type) for field in schema] == [
            "string", "string", "int64", "double",
        ]  # fmt: skip
        assert schema.names == ["item_id", "other_item_id", "baskets", "lift"]
    often, chance = 8 / (6 * 3 / 9 + 5), 8 / (6 * 6 / 9 + 5)  # of nine baskets
    assert stage.rows() == [
        ("10", "ü", 3, often), ("10", "9", 3, chance),
        ("9", "Ä", 3, often), ("9", "ü", 3, often), ("9", "10", 3, chance),
        ("Ä", "9", 3, often),
        ("ü", "10", 3, often), ("ü", "9", 3, often),
    ]  # fmt: skip


def test_a_second_call_writes_the_same_bytes(stage):
    before = {path.name: path.read_bytes() for path in stage.output.iterdir()}
    assert stage.run() == 8
    assert {path.name: path.read_bytes() for path in stage.output.iterdir()} == before


def test_no_pair_gives_empty_files(tmp_path):
    stage = Stage(tmp_path, [(0, 1, 0, None)], 3, RULE)
    assert stage.run() == 0
    assert stage.rows() == []
    schemas = [pq.read_schema(path) for path in stage.output.iterdir()]
    assert len(schemas) == 3
    assert all(schema.names[1] == "other_item_id" for schema in schemas)


def test_a_lost_message_is_noticed(stage):
    messages = stage.messages()
    stage.stage.write(0, messages[0][:1])
    with pytest.raises(RuntimeError, match="the runner lost or repeated rows"):
        stage.audit()


def test_a_repeated_message_is_noticed(stage):
    messages = stage.messages()
    stage.stage.write(1, [*messages[1], messages[1][0]])
    with pytest.raises(RuntimeError, match="the runner lost or repeated rows"):
        stage.audit()


def test_a_changed_message_is_noticed(stage):
    first, second = stage.messages()[0]
    ((shard, table),) = unpack([first])
    apart = pa.array(np.arange(len(table)), pa.int32())  # every row its own basket
    changed = pack(table.set_column(0, "basket", apart), shard)
    stage.stage.write(0, [changed, second])
    with pytest.raises(
        RuntimeError, match=r"range 0 counted \d+ meetings of two items"
    ):
        stage.audit()


def test_a_shard_that_was_read_in_part_is_noticed(stage):
    path = baskets_path(stage.work, 1)
    write_table(path, read_table(path).slice(1))
    with pytest.raises(RuntimeError, match=r"in baskets shard 1 read"):
        stage.run()


def test_item_counts_that_differ_from_the_report_are_noticed(stage):
    path = basket_items_path(stage.work, 0)
    write_table(path, read_table(path).slice(1))
    with pytest.raises(RuntimeError, match="the shard reported"):
        merge_item_baskets(stage.work, stage.counts, len(IDS))


@pytest.mark.parametrize("name", ["sent-00001.json", "range-00000.json"])
def test_skipped_work_is_noticed(stage, name):
    (stage.work / name).unlink()
    with pytest.raises(RuntimeError, match="the runner skipped work"):
        stage.audit()


def test_a_missing_or_short_file_is_noticed(stage):
    path = stage.output / "part-00000-of-00002.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    with pytest.raises(RuntimeError, match="but its worker wrote"):
        stage.audit()
    path.unlink()
    with pytest.raises(RuntimeError, match="reported this file but it is absent"):
        stage.audit()


def test_reports_tell_what_went_where(stage):
    sent = [SentReport.load(sent_report_path(stage.work, s)) for s in range(2)]
    received = [RangeReport.load(range_path(stage.work, i)) for i in range(2)]
    for index, part in enumerate(received):
        assert part.received == {s.shard: s.sent[index] for s in sent}
    assert sum(part.pairs for part in received) == 3 * (3 * 2 + 2)
