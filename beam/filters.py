"""Evaluates `where:` conditions over Arrow tables, with SQL's three-valued logic."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from beam.coercion import as_numbers, is_text, known
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.where import Combination, Comparison, Condition, Constant

_COMPARE = {
    "==": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}


def rows_where(table: pa.Table, condition: Condition, *, untyped: bool) -> pa.Array:
    """Returns which rows a condition holds for; never null.

    Args:
        table: rows with the file's columns.
        condition: what to keep.
        untyped: whether the file's format knows only text (CSV, JSON Lines), so that a
            text column may be compared with a number.

    Raises:
        DataError: a column is compared with a constant of another type.
    """
    return pc.fill_null(_evaluate(table, condition, untyped), False)


def unreadable_rows(table: pa.Table, condition: Condition) -> pa.Array:
    """Returns which rows of a text format hold a value that a condition cannot read.

    That is a text compared with a number or truth value of which it is none; `where`
    must not pass such a fault off as a row that nobody wanted.
    """
    if isinstance(condition, Combination):
        parts = [unreadable_rows(table, operand) for operand in condition.operands]
        return functools.reduce(pc.or_, parts)
    values = known(table.column(condition.column).combine_chunks())
    return pc.and_not(_retyped(values, _kind_of(condition)).is_null(), values.is_null())


def _evaluate(table: pa.Table, condition: Condition, untyped: bool) -> Any:
    if isinstance(condition, Comparison):
        return _compare(table, condition, untyped)
    masks = [_evaluate(table, operand, untyped) for operand in condition.operands]
    if condition.operator == "not":
        return pc.invert(masks[0])
    join = pc.and_kleene if condition.operator == "and" else pc.or_kleene
    return functools.reduce(join, masks)


def _compare(table: pa.Table, comparison: Comparison, untyped: bool) -> Any:
    values = known(table.column(comparison.column).combine_chunks())
    if comparison.operator == "is null":
        return pc.is_null(values)
    if comparison.operator == "is not null":
        return pc.is_valid(values)
    values, constants = _same_type(values, comparison, untyped)
    if comparison.operator in _COMPARE:
        return _COMPARE[comparison.operator](values, constants[0])
    found = pc.is_in(values, value_set=pa.array(constants, type=values.type))
    held = pc.invert(found) if comparison.operator == "not in" else found
    return pc.if_else(pc.is_valid(values), held, None)


def _same_type(
    values: Any, comparison: Comparison, untyped: bool
) -> tuple[Any, list[Any]]:
    """Brings a column and the constants to one type."""
    constants = comparison.values
    kind = _kind_of(comparison) if constants else _column_kind(values)
    if untyped and is_text(values):
        values = _retyped(values, kind)
    column_kind = _column_kind(values)
    if column_kind == "time" and kind == "text":
        return values, [_moment(c, values.type, comparison) for c in constants]
    if kind != column_kind:
        raise _mismatch(comparison, str(values.type))
    if kind == "number":
        return _same_number(values, constants)
    return values, list(constants)


def _same_number(values: Any, constants: Iterable[Any]) -> tuple[Any, list[Any]]:
    whole = pa.types.is_integer(values.type) and not pa.types.is_uint64(values.type)
    if whole and all(isinstance(c, int) and abs(c) < 2**63 for c in constants):
        return values.cast(pa.int64()), list(constants)
    return values.cast(pa.float64(), safe=False), [float(c) for c in constants]


def _retyped(values: Any, kind: str) -> Any:
    if kind == "number":
        return as_numbers(values)[0]
    if kind == "truth":
        lower = pc.utf8_lower(values)
        true = pc.is_in(lower, value_set=pa.array(["true", "1"], values.type))
        false = pc.is_in(lower, value_set=pa.array(["false", "0"], values.type))
        return pc.if_else(pc.or_(true, false), true, None)
    return values


def _kind_of(comparison: Comparison) -> str:
    kinds = {_kind(constant) for constant in comparison.values}
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _kind(constant: Constant) -> str:
    if isinstance(constant, bool):
        return "truth"
    return "text" if isinstance(constant, str) else "number"


def _column_kind(values: Any) -> str:
    kind = values.type
    if is_text(values):
        return "text"
    if pa.types.is_boolean(kind):
        return "truth"
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return "time"
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return "number" if numeric or pa.types.is_decimal(kind) else str(kind)


def _moment(constant: Constant, kind: Any, comparison: Comparison) -> Any:
    """Returns a text constant as a moment of a timestamp or date column's type."""
    try:
        moment = pd.Timestamp(constant)
        zone = getattr(kind, "tz", None)
        if zone and moment.tzinfo is None:
            moment = moment.tz_localize("UTC")
        elif not zone and moment.tzinfo is not None:
            moment = moment.tz_convert("UTC").tz_localize(None)
        return pa.scalar(moment.to_pydatetime(), type=kind)
    except (ValueError, pa.ArrowException) as error:
        raise _mismatch(comparison, str(kind)) from error


def _mismatch(comparison: Comparison, kind: str) -> DataError:
    values = list(comparison.values)
    received = repr(values[0] if len(values) == 1 else values)
    return DataError(
        f"where: column {comparison.column!r} of type {kind} cannot be compared "
        f"with {received} (`{comparison.operator}`); write a constant of the column's "
        "type"
    )
