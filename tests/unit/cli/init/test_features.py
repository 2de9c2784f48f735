"""What becomes of a column of items or users."""

import keyword
import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam.coercion import plain
from tests.unit.cli.init.shops import cycle
from tfrs_app.cli.init.columns import described
from tfrs_app.cli.init.features import (
    feature_name,
    filters_of,
    item_features,
    user_features,
)
from tfrs_app.contract.features import Feature, FeatureSpec, Role

ROWS = 200


def column(name, values):
    return described(name, plain(pa.array(values)))


def judged(name, values, role=Role.CANDIDATE):
    columns = [column(name, values)]
    if role is Role.CANDIDATE:
        found, left_out = item_features(columns, "id")
    else:
        found, left_out = user_features(columns, "id", [])
    return (str(found[0].kind), "") if found else (None, left_out[0].why)


ITEM_COLUMNS = {
    "categorical": [
        ("colour", cycle(["red", "blue", "green"], ROWS)),
        ("in_stock", cycle(["yes", "no"], ROWS)),
        ("available", cycle([True, False], ROWS)),
        ("stars", cycle([1, 2, 3, 4, 5], ROWS)),
        ("category_id", cycle(list(range(100, 120)), ROWS)),
        ("path", cycle(["Home > Garden > Tools", "Home > Kitchen > Pans"], ROWS)),
        ("brand", cycle([f"Brand {n}" for n in range(30)], ROWS)),
    ],
    "bucketized": [
        ("price", [n / 7 for n in range(ROWS)]),
        ("preis", [f"{n}.99" for n in range(ROWS)]),
        ("weight_g", [n * 10 for n in range(ROWS)]),
        ("stock", cycle(list(range(60)), ROWS)),
    ],
    "text": [
        ("title", [f"A blue thing number {n}" for n in range(ROWS)]),
        ("Bezeichnung", [f"Ding {n}" for n in range(ROWS)]),
        ("notes", [f"this is what we say of {n}" for n in range(ROWS)]),
    ],
}


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [(kind, *entry) for kind, entries in ITEM_COLUMNS.items() for entry in entries],
)
def test_a_column_of_items_is_a_feature(kind, name, values):
    assert judged(name, values)[0] == kind


@pytest.mark.parametrize(
    ("name", "values", "why"),
    [
        ("currency", ["EUR"] * ROWS, "the same value everywhere"),
        ("empty", [None] * ROWS, "is empty"),
        ("rare", [None] * (ROWS - 4) + ["a", "b", "c", "d"], "nearly always empty"),
        ("image", [f"https://x.example/{n}.jpg" for n in range(ROWS)], "addresses"),
        ("added", [f"2024-01-01T00:00:{n % 60:02d}" for n in range(ROWS)], "moments"),
        ("code", [f"C-{n}" for n in range(ROWS)], "its own for nearly every row"),
        ("ean", [4000000000000 + n for n in range(ROWS)], "nearly every row"),
    ],
)
def test_a_column_that_says_nothing_is_left_out(name, values, why):
    kind, told = judged(name, values)
    assert kind is None
    assert why in told


@pytest.mark.parametrize(
    "name", ["email", "First Name", "Vorname", "Straße", "phone_number", "Geburtsdatum"]
)
def test_what_names_a_person_is_no_feature(name):
    values = cycle(["anna", "bert", "carl"], ROWS)
    assert judged(name, values, Role.QUERY) == (None, "names a person")


def test_users_have_no_free_text():
    values = [f"they said {n} things to us" for n in range(ROWS)]
    assert judged("remarks", values, Role.QUERY) == (None, "is free text")


def test_lists_are_left_out():
    found, left_out = item_features([described("a", plain(pa.array(["x", "y"])))], "a")
    assert (found, left_out) == ([], [])


def test_a_feature_of_users_has_another_name_than_that_of_items():
    colour = column("colour", cycle(["red", "blue"], ROWS))
    price = column("price", [n / 7 for n in range(ROWS)])
    of_items, _ = item_features([colour, price], "id")
    of_users, _ = user_features([colour, price], "id", filters_of(of_items))
    assert [f.name for f in of_users] == ["user_colour", "user_price"]


@given(st.lists(st.text(max_size=12), max_size=8), st.sampled_from(Role))
def test_any_headers_make_features_that_the_contract_takes(headers, role):
    if role is Role.LABEL or role is Role.CONTEXT:
        role = Role.CANDIDATE
    names = []
    for header in headers:
        names.append(feature_name(header, role, names))
    assert len(set(names)) == len(names)
    for name in names:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
        assert not keyword.iskeyword(name)
    FeatureSpec(
        features=tuple(
            Feature(name=name, role=role, kind="categorical") for name in names
        )
    )
