import datetime as dt
import decimal

import pyarrow as pa
import pytest

from beam.coercion import (
    as_distinct,
    as_numbers,
    as_seconds,
    as_text,
    is_usable,
    plain,
)

NAN = float("nan")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([12, -3, None], pa.int32()), ["12", "-3", None]),
        (pa.array([2**63], pa.uint64()), ["9223372036854775808"]),
        (pa.array([12.0, NAN, None, 1.5]), ["12", None, None, "1.5"]),
        (pa.array([12.0], pa.float32()), ["12"]),
        (pa.array([decimal.Decimal("12.00"), decimal.Decimal("1.50")]), ["12", "1.50"]),
        (pa.array(["a", "", None]), ["a", None, None]),
        (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
        (pa.array([b"\xc3\xa4"]), ["ä"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([dt.date(2020, 2, 29)]), ["2020-02-29"]),
        (pa.nulls(1), [None]),
    ],
)
def test_text_of_every_type(values, expected):
    assert as_text(plain(values)).to_pylist() == expected
    coded = as_distinct(plain(values))
    assert coded.to_pylist() == expected
    assert sorted(coded.dictionary.to_pylist()) == sorted(set(expected) - {None})


@pytest.mark.parametrize(
    ("values", "numbers", "bad"),
    [
        (["1", "+2.5", " .5 ", "1e3", "7."], [1, 2.5, 0.5, 1000, 7], []),
        (["", None], [None, None], []),
        (["1,5", "nan", "inf", "1e999", "x", "0x1"], [None] * 6, range(6)),
        ([1, None], [1, None], []),
        ([0.1, NAN, float("inf")], [0.1, None, None], [2]),
        ([True, False], [1, 0], []),
        ([decimal.Decimal("1.25")], [1.25], []),
        ([dt.date(2020, 1, 1)], [None], [0]),
    ],
)
def test_numbers_of_every_type(values, numbers, bad):
    found, faults = as_numbers(plain(pa.array(values)))
    assert found.to_pylist() == numbers
    assert [i for i, fault in enumerate(faults.to_pylist()) if fault] == list(bad)


def test_negative_zero_is_zero():
    found, _ = as_numbers(plain(pa.array(["-0.0"])))
    assert str(found[0].as_py()) == "0.0"


NEW_YEAR = 1483228800  # 2017-01-01T00:00:00Z


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("2017-01-01", NEW_YEAR - 3600),
        ("2017-01-01 00:00:00", NEW_YEAR - 3600),
        ("2017-01-01T00:00:00.999", NEW_YEAR - 3600),
        ("20170101T000000", NEW_YEAR - 3600),
        ("2017-01-01T00:00:00Z", NEW_YEAR),
        ("2017-01-01 00:00:00+02:00", NEW_YEAR - 7200),
        ("2017-01-01T00:00:00-0500", NEW_YEAR + 18000),
        ("2017-07-01", 1498867200 - 7200),
        (" 2017-01-01T00:00:00Z ", NEW_YEAR),
        (str(NEW_YEAR), NEW_YEAR),
        (f"{NEW_YEAR}.9", NEW_YEAR),
        (str(NEW_YEAR * 10**3 + 999), NEW_YEAR),
        (str(NEW_YEAR * 10**6), NEW_YEAR),
        (str(NEW_YEAR * 10**9), NEW_YEAR),
        ("-1.5", -2),
        (NEW_YEAR, NEW_YEAR),
        (float(NEW_YEAR * 1000), NEW_YEAR),
        (dt.date(2017, 1, 1), NEW_YEAR - 3600),
        (dt.datetime(2017, 1, 1), NEW_YEAR - 3600),
        (dt.datetime(2017, 1, 1, tzinfo=dt.UTC), NEW_YEAR),
        # The hour that occurs twice is its first occurrence, summer time;
        (dt.datetime(2017, 10, 29, 2, 30), 1509237000),
        ("2017-10-29T02:30:00", 1509237000),
        # an hour that does not exist is the moment after the gap.
        ("2017-03-26T02:30:00", 1490490000),
    ],
)
def test_seconds_in_berlin(value, seconds):
    found, faults = as_seconds(plain(pa.array([value])), "Europe/Berlin")
    assert found.to_pylist() == [seconds]
    assert not any(faults.to_pylist())


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamp_units(unit):
    column = pa.array([dt.datetime(2017, 1, 1), None], pa.timestamp(unit))
    assert as_seconds(column, "UTC")[0].to_pylist() == [NEW_YEAR, None]


@pytest.mark.parametrize(
    "value", ["yesterday", "2017-13-01", "2017-02-30", "12:00", 1e30, True, "1e300"]
)
def test_unparsable_moments_are_faults(value):
    found, faults = as_seconds(plain(pa.array([value])), "UTC")
    assert found.to_pylist() == [None]
    assert faults.to_pylist() == [True]


@pytest.mark.parametrize("value", [None, "", NAN])
def test_missing_moments_are_no_faults(value):
    found, faults = as_seconds(plain(pa.array([value, value])), "UTC")
    assert found.to_pylist() == [None, None]
    assert faults.to_pylist() == [False, False]


def test_one_bad_moment_does_not_change_its_neighbours():
    column = plain(pa.array(["2017-01-01", "bad", str(NEW_YEAR), None]))
    found, faults = as_seconds(column, "UTC")
    assert found.to_pylist() == [NEW_YEAR, None, NEW_YEAR, None]
    assert faults.to_pylist() == [False, True, False, False]


USABLE = [
    pa.float16(), pa.float32(), pa.decimal128(5, 2), pa.decimal256(50, 2), pa.uint64(),
    pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(),
    pa.date32(), pa.date64(), pa.timestamp("ns", "Asia/Tokyo"), pa.bool_(), pa.null(),
    pa.dictionary(pa.int8(), pa.string()),
]  # fmt: skip


@pytest.mark.parametrize("kind", USABLE, ids=str)
@pytest.mark.parametrize("rows", [0, 2])
def test_every_usable_type_can_be_coerced(kind, rows):
    assert is_usable(kind)
    column = plain(pa.nulls(rows, kind))
    missing = [None] * rows
    assert as_text(column).to_pylist() == missing
    assert as_numbers(column)[0].to_pylist() == missing
    assert as_seconds(column, "Europe/Berlin")[0].to_pylist() == missing


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.int8()), pa.struct([("a", pa.int8())]), pa.time32("s")]
)
def test_other_types_are_not_usable(kind):
    assert not is_usable(kind)
