import datetime as dt
import operator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam.coercion import plain
from beam.filters import rows_where
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.where import parse_where

COMPARE = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
NUMBERS = st.sampled_from([-2, -1, 0, 1, 2, 0.5, -1.5, 2**40])
TEXTS = st.sampled_from(["a", "B", "ä", "10", "it's"])
CONSTANTS = {"n": NUMBERS, "x": NUMBERS, "s": TEXTS, "b": st.booleans()}
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "n": st.none() | st.sampled_from([-2, -1, 0, 1, 2, 2**40]),
            "x": st.none() | st.sampled_from([-1.5, 0.0, 0.5, 1.0, 2.25]),
            "s": st.none() | TEXTS,
            "b": st.none() | st.booleans(),
        }
    ),
    max_size=8,
)
TYPES = {"n": pa.int64(), "x": pa.float64(), "s": pa.large_string(), "b": pa.bool_()}


@st.composite
def comparisons(draw):
    """A text and what it says of a row: True, False, or None for unknown."""
    name = draw(st.sampled_from("nxsb"))
    form = draw(st.sampled_from(["compare", "in", "is"]))
    if form == "is":
        word = draw(st.sampled_from(["is", "is not"]))
        return f"{name} {word} None", lambda row: (row[name] is None) == (word == "is")
    if form == "in":
        values = draw(st.lists(CONSTANTS[name], min_size=1, max_size=3))
        word = draw(st.sampled_from(["in", "not in"]))
        return (
            f"{name} {word} {values!r}",
            lambda row: (
                None if row[name] is None else (row[name] in values) == (word == "in")
            ),
        )
    order = ["==", "!="] if name == "b" else sorted(COMPARE)
    sign, value = draw(st.sampled_from(order)), draw(CONSTANTS[name])
    return (
        f"{name} {sign} {value!r}",
        lambda row: None if row[name] is None else COMPARE[sign](row[name], value),
    )


def negation(condition):
    text, holds = condition

    def opposite(row):
        return None if holds(row) is None else not holds(row)

    return f"not ({text})", opposite


def both(pair):
    (left, holds_left), (right, holds_right) = pair

    def holds(row):
        answers = [holds_left(row), holds_right(row)]
        return False if False in answers else None if None in answers else True

    return f"({left}) and ({right})", holds


def either(pair):
    (left, holds_left), (right, holds_right) = pair

    def holds(row):
        answers = [holds_left(row), holds_right(row)]
        return True if True in answers else None if None in answers else False

    return f"({left}) or ({right})", holds


CONDITIONS = st.recursive(
    comparisons(),
    lambda inner: (
        inner.map(negation)
        | st.tuples(inner, inner).map(both)
        | st.tuples(inner, inner).map(either)
    ),
    max_leaves=4,
)


def as_csv(value):
    return str(value).lower() if isinstance(value, bool) else str(value)


@settings(max_examples=300, deadline=None)
@given(condition=CONDITIONS, rows=ROWS)
def test_agrees_with_a_loop_over_rows(condition, rows):
    text, holds = condition
    expected = [holds(row) is True for row in rows]
    typed = pa.table({c: pa.array([r[c] for r in rows], TYPES[c]) for c in TYPES})
    found = rows_where(typed, parse_where(text), untyped=False)
    assert found.to_pylist() == expected
    texts = pa.table(
        {
            c: pa.array(
                [None if r[c] is None else as_csv(r[c]) for r in rows],
                pa.large_string(),
            )
            for c in TYPES
        }
    )
    assert rows_where(texts, parse_where(text), untyped=True).to_pylist() == expected


MOMENTS = pa.table(
    {"t": pa.array([dt.datetime(2017, 1, 1), dt.datetime(2018, 1, 1), None])}
)


def test_moments_compare_with_iso_texts():
    found = rows_where(MOMENTS, parse_where("t >= '2017-06-01'"), untyped=False)
    assert found.to_pylist() == [False, True, False]
    zoned = MOMENTS.set_column(0, "t", MOMENTS["t"].cast(pa.timestamp("s", "UTC")))
    found = rows_where(
        zoned, parse_where("t < '2017-01-01T02:00+02:00'"), untyped=False
    )
    assert found.to_pylist() == [False, False, False]
    dates = MOMENTS.set_column(0, "t", MOMENTS["t"].cast(pa.date32()))
    found = rows_where(dates, parse_where("t in ['2018-01-01']"), untyped=False)
    assert found.to_pylist() == [False, True, False]


def test_nan_and_empty_text_are_missing():
    table = pa.table({"x": [float("nan"), 1.0], "s": plain(pa.array(["", "a"]))})
    for text in ("x is None", "s is None", "not (x > 0)", "s != 'a'"):
        first, second = rows_where(table, parse_where(text), untyped=False).to_pylist()
        assert first == text.endswith("None")
        assert not second


@pytest.mark.parametrize(
    ("column", "text", "received"),
    [
        (["a"], "c > 1", "1"),
        ([1], "c == 'a'", "'a'"),
        ([True], "c == 1", "1"),
        ([1], "c == True", "True"),
        ([1], "c in [1, 'a']", r"\[1, 'a'\]"),
        ([dt.datetime(2017, 1, 1)], "c > 5", "5"),
        ([dt.datetime(2017, 1, 1)], "c > 'soon'", "'soon'"),
    ],
)
def test_another_type_is_an_error(column, text, received):
    table = pa.table({"c": plain(pa.array(column))})
    with pytest.raises(DataError, match=f"where: column 'c' of type .*with {received}"):
        rows_where(table, parse_where(text), untyped=False)


@pytest.mark.parametrize("constant", [2**70, -(2**70), 300, -1])
def test_constants_beyond_the_column_type(constant):
    table = pa.table({"c": pa.array([1, 2], pa.uint8())})
    for text, expected in (("c in [{}]", [False] * 2), ("c != {}", [True] * 2)):
        found = rows_where(table, parse_where(text.format(constant)), untyped=False)
        assert found.to_pylist() == expected
