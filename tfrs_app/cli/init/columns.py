"""What a column holds, told by its first values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.coercion import as_numbers, as_seconds, as_text, is_text, known

ColumnKind = Literal["nothing", "flag", "number", "moment", "text", "nested"]

EXAMPLES = 3
_FLAGS = (
    {"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"}, {"ja", "nein"},
    {"j", "n"}, {"0", "1"},
)  # fmt: skip
_ZONED = r"[T ].*(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_EPOCHS = ((6e8, 4.2e9), (6e11, 4.2e12), (6e14, 4.2e15), (6e17, 4.2e18))
"""Seconds, milliseconds, microseconds and nanoseconds of the years 1989 to 2103."""


@dataclass(frozen=True)
class Column:
    """Describes a column by its first rows.

    Attributes:
        name: in the file.
        kind: of its values.
        rows: looked at.
        filled: of those, how many hold a value.
        distinct: different values.
        whole: whether all numbers are integers.
        epoch: whether numbers could be moments.
        naive: whether moments carry no zone.
        words: mean number of words of a text.
        examples: first different values.
        values: all different values.
    """

    name: str
    kind: ColumnKind
    rows: int = 0
    filled: int = 0
    distinct: int = 0
    whole: bool = False
    epoch: bool = False
    naive: bool = False
    words: float = 0.0
    examples: tuple[str, ...] = ()
    values: frozenset[str] = frozenset()

    @property
    def share_distinct(self) -> float:
        """Returns different values per value."""
        return self.distinct / self.filled if self.filled else 0.0

    @property
    def could_be_moments(self) -> bool:
        """Tells whether the column could say when something happened."""
        return self.kind == "moment" or self.epoch


def described(name: str, values: Any) -> Column:
    """Describes a column.

    Args:
        name: in the file.
        values: plain Arrow array, see `beam.coercion.plain`.
    """
    texts = as_text(values).drop_null()
    if not len(texts):
        return Column(name, "nothing", rows=len(values))
    distinct = texts.unique().to_pylist()
    numbers, whole, epoch = _numbers(values)
    kind = _kind(values, distinct, numbers)
    return Column(
        name=name,
        kind=kind,
        rows=len(values),
        filled=len(texts),
        distinct=len(distinct),
        whole=whole,
        epoch=epoch and kind == "number",
        naive=kind == "moment" and _is_naive(values),
        words=float(np.mean([len(text.split()) for text in distinct])),
        examples=tuple(distinct[:EXAMPLES]),
        values=frozenset(distinct),
    )


def _kind(values: Any, distinct: list[str], numbers: bool) -> ColumnKind:
    if pa.types.is_boolean(values.type) or _is_flag(distinct):
        return "flag"
    if numbers:
        return "number"
    _, bad = as_seconds(values, "UTC")
    return "text" if pc.any(bad).as_py() else "moment"


def _is_flag(distinct: list[str]) -> bool:
    found = {text.strip().lower() for text in distinct}
    return len(found) == 2 and found in _FLAGS


def _numbers(values: Any) -> tuple[bool, bool, bool]:
    """Tells whether all values are numbers, whole ones, and moments since the epoch."""
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        return False, False, False
    numbers, bad = as_numbers(values)
    if pc.any(bad).as_py():
        return False, False, False
    found = numbers.drop_null().to_numpy()
    low, high = found.min(), found.max()
    epoch = any(first <= low and high <= last for first, last in _EPOCHS)
    return True, bool((found == np.floor(found)).all()), epoch


def _is_naive(values: Any) -> bool:
    if is_text(values):
        zoned = pc.match_substring_regex(known(values).drop_null(), _ZONED)
        return not pc.all(zoned).as_py()
    return getattr(values.type, "tz", None) is None
