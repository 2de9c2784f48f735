"""Coerces Arrow columns of any type to the few types of the contract.

Every function is total over its input type: what cannot be coerced comes back as a
mask, never as an exception. A missing value is null, NaN or the empty text.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_ZONED = r"[T ].*(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_USABLE = (
    pa.types.is_binary,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_large_binary,
    pa.types.is_large_string,
    pa.types.is_null,
    pa.types.is_string,
    pa.types.is_timestamp,
)
_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""Epoch numbers of at least this size are in ns, us, ms; smaller ones in seconds."""
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799  # years 1 to 9999


def plain(values: Any) -> Any:
    """Returns a column as one array; texts as large_string, dictionaries decoded.

    Raises:
        pyarrow.ArrowInvalid: a binary column is not UTF-8.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    kind = values.type
    if pa.types.is_dictionary(kind):
        return plain(values.dictionary_decode())
    if pa.types.is_null(kind) or pa.types.is_string(kind):
        return values.cast(pa.large_string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return values.cast(pa.large_string())
    return values.cast(pa.large_string()) if _is_view(kind) else values


def is_usable(kind: Any) -> bool:
    """Tells whether a column type can be coerced: texts, numbers, truth, moments."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return bool(
        _is_number(kind) or _is_view(kind) or any(test(kind) for test in _USABLE)
    )


def is_text(values: Any) -> bool:
    """Tells whether a plain column holds text."""
    return bool(pa.types.is_large_string(values.type))


def known(values: Any) -> Any:
    """Returns a plain column with NaN and the empty text as null."""
    if is_text(values):
        return _null_where(values, pc.equal(values, ""))
    if pa.types.is_floating(values.type):
        return _null_where(values, pc.is_nan(values))
    return values


def as_text(values: Any) -> Any:
    """Returns a plain column as large_string.

    Integers become their decimal text, and so do integral floats and decimals: a
    nullable integer column often arrives as floats, so 12.0 is "12".
    """
    values = known(values)
    if pa.types.is_floating(values.type):
        return _float_text(values.cast(pa.float64()))
    text = values.cast(pa.large_string())
    if pa.types.is_decimal(values.type):
        return pc.replace_substring_regex(text, r"\.0+$", "")
    return text


def as_distinct(values: Any) -> Any:
    """Returns a plain column as dictionary-encoded large_string, see `as_text`."""
    if not pa.types.is_integer(values.type):
        return as_text(values).dictionary_encode()
    encoded = values.dictionary_encode()
    texts = encoded.dictionary.cast(pa.large_string())
    return pa.DictionaryArray.from_arrays(encoded.indices, texts)


def as_numbers(values: Any) -> tuple[Any, Any]:
    """Returns a plain column as float64, and which rows hold no finite number."""
    values = known(values)
    present = values.is_valid()
    if is_text(values):
        values = pc.utf8_trim_whitespace(values)
        numeric = pc.match_substring_regex(values, _NUMBER)
        digits = pc.utf8_ltrim(pc.if_else(numeric, values, None), "+")
        values = digits.cast(pa.float64())
    elif _is_number(values.type) or pa.types.is_boolean(values.type):
        values = values.cast(pa.float64(), safe=False)
    else:
        values = pa.nulls(len(values), pa.float64())
    values = pc.if_else(pc.is_finite(values), values, None)
    values = pc.add(values, 0.0)  # -0.0 and 0.0 become one, so that sorting is total
    return values, pc.and_(present, values.is_null())


def as_seconds(values: Any, timezone: str) -> tuple[Any, Any]:
    """Returns a plain column as int64 seconds since the epoch, UTC, and the bad rows.

    Args:
        values: timestamps, dates, epoch numbers or ISO 8601 texts.
        timezone: of those that carry none; an hour that occurs twice means its first
            occurrence, one that is skipped the moment after the gap.
    """
    values = known(values)
    present = values.is_valid()
    if is_text(values):
        seconds = _seconds_of_text(values, timezone)
    elif _is_number(values.type):
        seconds = _seconds_of_epoch(values.cast(pa.float64(), safe=False))
    elif pa.types.is_date(values.type):
        midnights = values.cast(pa.timestamp("s")).to_pandas()
        seconds = _seconds_of_moments(midnights, timezone)
    elif pa.types.is_timestamp(values.type):
        seconds = _seconds_of_moments(values.to_pandas(), timezone)
    else:
        seconds = pa.nulls(len(values), pa.int64())
    inside = pc.and_(
        pc.greater_equal(seconds, _FIRST_SECOND), pc.less_equal(seconds, _LAST_SECOND)
    )
    seconds = pc.if_else(inside, seconds, None)
    return seconds, pc.and_(present, seconds.is_null())


def _seconds_of_text(values: Any, timezone: str) -> Any:
    values = pc.utf8_trim_whitespace(values)
    epochs = pc.match_substring_regex(values, _NUMBER)
    zoned = pc.match_substring_regex(values, _ZONED)
    numbers, _ = as_numbers(pc.if_else(epochs, values, None))
    result = _seconds_of_epoch(numbers)
    for which, zone in (
        (pc.and_not(zoned, epochs), None),
        (pc.and_not(pc.invert(zoned), epochs), timezone),
    ):
        if not pc.any(which).as_py():
            continue
        texts = pd.Series(pc.if_else(which, values, None).to_numpy(False), dtype=object)
        moments = pd.to_datetime(
            texts, format="ISO8601", errors="coerce", utc=zone is None
        )
        result = pc.coalesce(result, _seconds_of_moments(moments, zone or "UTC"))
    return result


def _seconds_of_epoch(values: Any) -> Any:
    numbers = np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
    scale = np.ones(len(numbers))
    for size, unit in reversed(_UNITS):
        scale[np.abs(numbers) >= size] = unit
    seconds = np.floor(numbers / scale)
    bad = ~(np.abs(seconds) <= _LAST_SECOND)
    return pa.array(np.where(bad, 0, seconds).astype(np.int64), mask=bad)


def _seconds_of_moments(moments: Any, timezone: str) -> Any:
    if moments.dt.tz is None:
        first = np.ones(len(moments), dtype=bool)
        moments = moments.dt.tz_localize(
            timezone, ambiguous=first, nonexistent="shift_forward"
        )
    moments = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    seconds = moments.to_numpy().astype("datetime64[s]").astype(np.int64)
    return pa.array(seconds, mask=moments.isna().to_numpy())


def _float_text(values: Any) -> Any:
    integral = pc.and_(
        pc.equal(values, pc.floor(values)), pc.less(pc.abs(values), 2**53)
    )
    integers = pc.if_else(integral, values, None).cast(pa.int64())
    return pc.coalesce(integers.cast(pa.large_string()), values.cast(pa.large_string()))


def _null_where(values: Any, mask: Any) -> Any:
    if not pc.any(mask).as_py():
        return values
    return pc.if_else(mask, pa.scalar(None, values.type), values)


def _is_number(kind: Any) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    )


def _is_view(kind: Any) -> bool:
    return bool(pa.types.is_string_view(kind) or pa.types.is_binary_view(kind))
