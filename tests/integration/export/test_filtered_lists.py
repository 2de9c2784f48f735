"""Filters of a published model: random requests against a plain loop."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.export.conftest import MOMENT
from tests.integration.export.test_recommender import BARE, IDS, QUICK

COLOURS = st.lists(st.sampled_from(["", "white", "black", "no such"]), max_size=3)
PRICES = st.sampled_from([math.nan, 0.0, 1.0, 4.0, 11.5, 20.0, math.inf])


@dataclass(frozen=True, repr=False)
class Columns:
    colour: list[bytes]
    price: list[float]


@pytest.fixture(scope="module")
def columns(toy_encoded):
    catalogue = toy_encoded.dataset.catalogue
    return Columns(catalogue["colour"].tolist(), catalogue["price"].tolist())


def allowed_rows(columns, allow, block, low, high):
    rows = []
    pairs = zip(columns.colour, columns.price, strict=True)
    for row, (colour, price) in enumerate(pairs):
        wanted = {name.encode() for name in allow if name}
        if wanted and colour not in wanted:
            continue
        if colour and colour.decode() in block:
            continue
        if not math.isnan(low) and not price >= low:
            continue
        if not math.isnan(high) and not price <= high:
            continue
        rows.append(row)
    return rows


def filter_inputs(allow, block, low, high):
    return {
        "allow_colour": texts(allow),
        "block_colour": texts(block),
        "min_price": [low],
        "max_price": [high],
    }


def texts(values):
    return np.array([values], object).reshape(1, -1)


@QUICK
@given(
    history=IDS, exclude=IDS, k=st.integers(0, 40),
    allow=COLOURS, block=COLOURS, low=PRICES, high=PRICES,
)  # fmt: skip
def test_lists_hold_the_best_of_what_is_allowed_and_nothing_else(
    served, columns, history, exclude, k, allow, block, low, high
):
    request = {"history_item_id": texts(history), "timestamp": [MOMENT]}
    filters = filter_inputs(allow, block, low, high)
    answer = served.ask(**request, **filters, exclude=texts(exclude), k=k)
    rows = allowed_rows(columns, allow, block, low, high)
    rows = [row for row in rows if served.ids[row].decode() not in exclude]
    query = served.ask("embed_query", **request)["embedding"][0]
    best = sorted((served.items[rows] @ query).tolist(), reverse=True)[:k]
    listed = [item for item in answer["item_id"][0].tolist() if item]
    assert len(listed) == len(set(listed)) == min(k, len(rows))
    assert {served.ids.index(item) for item in listed} <= set(rows)
    if any(allow) or any(block) or not math.isnan(low) or not math.isnan(high):
        # Without filters ScaNN may answer, which is not exact.
        np.testing.assert_allclose(answer["score"][0][: len(listed)], best, atol=1e-4)


def test_each_row_has_its_own_filters(served, columns):
    colours = sorted({colour for colour in columns.colour if colour})[:2]
    answer = served.ask(
        history_item_id=[["i2"], ["i2"], ["i2"]],
        timestamp=[MOMENT] * 3,
        allow_colour=[[colours[0]], [colours[1]], [""]],
        k=20,
    )
    for row, colour in enumerate(colours):
        listed = answer["item_id"][row].tolist()
        assert {columns.colour[served.ids.index(item)] for item in listed} == {colour}
    free = served.ask(history_item_id=[["i2"]], timestamp=[MOMENT], k=20)
    assert len(set(answer["item_id"][2].tolist()) & set(free["item_id"][0])) >= 18


def test_one_filter_serves_the_whole_batch(served, columns):
    colour = next(colour for colour in columns.colour if colour)
    answer = served.ask(
        history_item_id=[["i2"], ["i9"]],
        timestamp=[MOMENT] * 2,
        block_colour=[[colour]],
    )
    listed = answer["item_id"].ravel().tolist()
    assert len(listed) == 20
    assert colour not in {columns.colour[served.ids.index(item)] for item in listed}


def test_similar_items_can_be_filtered_too(served, columns):
    free = served.ask("similar_items", item_id=["i8"], k=1200)["item_id"][0].tolist()
    dear = served.ask("similar_items", item_id=["i8"], k=1200, min_price=[11.0])
    listed = [item for item in dear["item_id"][0].tolist() if item]
    prices = dict(zip(served.ids, columns.price, strict=True))
    assert sorted(listed) == sorted(i for i in free if i and prices[i] >= 11.0)
    assert 0 < len(listed) < len(free)


def test_the_same_request_has_the_same_answer(served):
    first, second = (served.ask(**BARE, max_price=[3.0], k=30) for _ in range(2))
    assert first["item_id"].tolist() == second["item_id"].tolist()
