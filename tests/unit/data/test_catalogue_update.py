"""Updates of a catalogue against a dict of records that plain loops change."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.features import FeatureSpec
from tfrs_app.data.catalogue_update import (
    CatalogueUpdate,
    UpdatedDataset,
    fingerprint_of,
    updated,
)
from tfrs_app.data.co_purchases import CoPurchases
from tfrs_app.data.item_changes import ItemChanges

SPEC = FeatureSpec.model_validate(
    {
        "features": [
            {"name": "colour", "role": "candidate", "kind": "categorical"},
            {"name": "price", "role": "candidate", "kind": "numeric"},
        ]
    }
)
IDS = [f"i{n}".encode() for n in range(8)]
COLOUR = st.sampled_from([b"red", b"blue", b""])
PRICE = st.sampled_from([1.0, 2.5, math.nan])


class Base:
    """What an update reads of a dataset."""

    folder = manifest = statistics = None
    spec = SPEC

    def __init__(self):
        self.catalogue = {
            "item_id": np.array(IDS[:3], object),
            "colour": np.array([b"red", b"blue", b""], object),
            "price": np.array([1.0, math.nan, 3.0], np.float32),
        }
        self.listed = np.ones(3, bool)
        self.train_events = np.array([5, 0, 2])
        pairs = np.array([1], np.int32), np.array([2.0]), np.array([4])
        self.co_purchases = CoPurchases(np.array([0, 1, 1, 1]), *pairs)
        self.events = object()


@st.composite
def changes(draw):
    ids = draw(st.lists(st.sampled_from(IDS), min_size=1, unique=True))
    told = draw(st.sets(st.sampled_from(["colour", "price", "listed"]), min_size=1))
    values = {"colour": COLOUR, "price": PRICE, "listed": st.booleans()}
    return [{"item_id": i, **{n: draw(values[n]) for n in sorted(told)}} for i in ids]


def arrays(rows):
    kinds = {"item_id": object, "colour": object, "price": np.float32}
    columns = {
        name: np.array([row[name] for row in rows], kind)
        for name, kind in kinds.items()
        if name in rows[0]
    }
    listed = [row["listed"] for row in rows] if "listed" in rows[0] else None
    return ItemChanges(columns, None if listed is None else np.array(listed))


@given(st.lists(changes(), min_size=1, max_size=4))
def test_pushes_add_up_as_in_a_dict(pushes):
    base = Base()
    expected = {
        item: {"colour": colour, "price": price, "listed": True}
        for item, colour, price in zip(*base.catalogue.values(), strict=True)
    }
    dataset = base
    for rows in pushes:
        nothing = {"colour": b"", "price": math.nan, "listed": True}
        for row in rows:
            record = expected.setdefault(row["item_id"], dict(nothing))
            record.update({k: v for k, v in row.items() if k != "item_id"})
        update = updated(dataset, arrays(rows))
        dataset = UpdatedDataset.of(base, update)
    ids = dataset.catalogue["item_id"].tolist()
    assert ids[:3] == IDS[:3]
    assert ids == list(expected)  # new ones behind, in the order of their first push
    assert dataset.listed.tolist() == [r["listed"] for r in expected.values()]
    assert dataset.catalogue["colour"].tolist() == [
        r["colour"] for r in expected.values()
    ]
    np.testing.assert_array_equal(
        dataset.catalogue["price"],
        np.array([r["price"] for r in expected.values()], np.float32),
    )
    new = len(ids) - 3
    assert dataset.new_items == new
    assert dataset.train_events.tolist() == [5, 0, 2] + [0] * new
    assert dataset.co_purchases.row_splits.tolist() == [0, 1, 1, 1] + [1] * new
    assert dataset.events is base.events


def test_an_update_comes_back_from_its_file(tmp_path):
    rows = [
        {"item_id": b"new", "colour": "größer".encode(), "price": 1.5, "listed": True},
        {"item_id": b"i1", "colour": b"", "price": math.nan, "listed": False},
    ]
    path = tmp_path / "updates" / "d.parquet"
    assert CatalogueUpdate.read(path, SPEC) is None
    assert fingerprint_of(path) is None
    update = updated(Base(), arrays(rows))
    update.write(path)
    found = CatalogueUpdate.read(path, SPEC)
    assert found.listed.tolist() == [True, False]
    for name, values in update.columns.items():
        assert found.columns[name].dtype == values.dtype
        np.testing.assert_array_equal(found.columns[name], values)
    first = fingerprint_of(path)
    updated(Base(), arrays(rows[:1])).write(path)
    assert fingerprint_of(path) != first


def test_a_torn_file_is_refused(tmp_path):
    path = tmp_path / "d.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ArtifactError, match="push again"):
        CatalogueUpdate.read(path, SPEC)
