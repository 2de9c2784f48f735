"""Tables of changed items, read as `prepare` reads catalogues."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam.item_changes import read_changes
from tfrs_app.contract.errors import DataError


@pytest.fixture
def config(little_config):
    def made(**items):
        table = little_config.data.items.model_copy(update=items)
        data = little_config.data.model_copy(update={"items": table})
        return little_config.model_copy(update={"data": data})

    return made


@pytest.fixture
def table(tmp_path):
    def written(*rows):
        path = tmp_path / "changes.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        return path

    return written


def test_columns_that_are_absent_are_left_alone(config, table):
    changes = read_changes(config(), table({"item_id": "fig", "size": 2}))
    assert {n: v.tolist() for n, v in changes.columns.items()} == {
        "item_id": [b"fig"],
        "size": [2.0],
    }
    assert changes.listed is None
    assert changes.left_out == 0


def test_values_are_coerced_as_prepare_coerces_them(config, tmp_path):
    rows = {
        "item_id": pa.array([7.0, 8.0]),
        "colour": pa.array(["rot", None]).dictionary_encode(),
        "size": pa.array(["1.5", ""]),
        "words": pa.array(["Süß", None]),
        "listed": pa.array([True, False]),
    }
    path = tmp_path / "changes.parquet"
    pq.write_table(pa.table(rows), path, row_group_size=1)
    changes = read_changes(config(), path)
    assert changes.columns["item_id"].tolist() == [b"7", b"8"]
    assert changes.columns["colour"].tolist() == [b"rot", b""]
    assert changes.columns["title"].tolist() == ["7 Süß".encode(), b"8"]
    np.testing.assert_array_equal(changes.columns["size"], np.float32([1.5, np.nan]))
    assert changes.listed.tolist() == [True, False]


def test_names_are_mapped(config, table):
    mapped = config(columns={"item_id": "sku", "size": "litres"})
    changes = read_changes(mapped, table({"sku": "fig", "litres": 3}))
    assert changes.columns["item_id"].tolist() == [b"fig"]
    assert changes.columns["size"].tolist() == [3.0]


def test_unwanted_rows_are_counted_where_the_condition_can_be_judged(config, table):
    picky = config(where="colour != 'red'")
    rows = [{"item_id": i, "colour": c} for i, c in (("a", "red"), ("b", "blue"))]
    changes = read_changes(picky, table(*rows))
    assert changes.columns["item_id"].tolist() == [b"b"]
    assert changes.left_out == 1
    unjudged = read_changes(picky, table({"item_id": "a", "size": 1}))
    assert unjudged.columns["item_id"].tolist() == [b"a"]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([{"item_id": "a"}], "says nothing of its items"),
        ([{"size": 1}], "lacks column 'item_id'"),
        ([{"item_id": "a", "size": "big"}], "row 0: unparsable number in size"),
        ([{"item_id": "a\nb", "size": 1}], "line break in item_id"),
        ([{"item_id": "a", "listed": "maybe"}], "listed is 'maybe'"),
        ([{"item_id": i, "size": 1} for i in "aba"], "'a' stands in several rows"),
    ],
)
def test_what_cannot_be_used_is_refused(config, table, rows, sentence):
    with pytest.raises(DataError, match=sentence):
        read_changes(config(), table(*rows))


def test_half_of_a_joined_text_is_refused(config, table):
    joined = config()
    title = next(f for f in joined.features if f.name == "title")
    both = title.model_copy(update={"columns": ("words", "more")})
    features = tuple(both if f is title else f for f in joined.features)
    joined = joined.model_copy(update={"features": features})
    with pytest.raises(DataError, match="lacks column 'more' but has others"):
        read_changes(joined, table({"item_id": "a", "words": "x"}))


def test_a_table_that_is_not_there_is_named(config, tmp_path):
    with pytest.raises(DataError, match="no file at"):
        read_changes(config(), tmp_path / "nothing.csv")
