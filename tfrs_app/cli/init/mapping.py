"""Guesses which column of a file is which column of the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tfrs_app.cli.init.columns import Column
from tfrs_app.cli.init.event_types import known_type
from tfrs_app.cli.init.names import is_id, rank
from tfrs_app.cli.init.sample import Sample
from tfrs_app.contract.dataset import (
    EVENT_TYPE,
    PRICE,
    QUANTITY,
    SESSION_ID,
    TABLE_COLUMNS,
    TIMESTAMP,
)
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import ITEM_ID, USER_ID

ORDER = (USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, QUANTITY, PRICE, SESSION_ID)
_KEYS = {"items": ITEM_ID, "users": USER_ID}
_WHO = {USER_ID: "the user", ITEM_ID: "the item", TIMESTAMP: "the time"}
_SAME_IDS = 0.5
"""Share of one table's ids that the other holds, from which they are the same."""
_MOST_TYPES = 50
_MOSTLY = 0.5


@dataclass(frozen=True)
class Choice:
    """Names a file's column, or none, and says why."""

    column: str | None
    why: str


Choices = Mapping[str, Choice]
"""Column of the contract -> what stands for it."""


def choices_for(
    samples: Mapping[str, Sample], asked: Mapping[str, str | None] | None = None
) -> dict[str, dict[str, Choice]]:
    """Guesses the mapping of every table.

    Args:
        samples: events, items and perhaps users.
        asked: `TABLE.COLUMN` of the contract -> the file's column, where somebody
            knows it; None: there is none.

    Returns:
        Table -> column of the contract -> what stands for it.

    Raises:
        DataError: a required column is not found, or an asked one is not there.
    """
    asked = asked or {}
    found = {table: _fixed(sample, asked) for table, sample in samples.items()}
    for table, key in _KEYS.items():
        if table in samples:
            _choose_key(samples["events"], samples[table], key, found)
    events, chosen = samples["events"], found["events"]
    for role in ORDER:
        if role not in chosen:
            chosen[role] = _by_name(events, role, taken=_taken(chosen))
    for role in _WHO:
        if chosen[role].column is None:
            raise _missing(events, role)
    check_timestamp(events.column(str(chosen[TIMESTAMP].column)), events.name)
    found["events"] = {role: chosen[role] for role in ORDER}
    return found


def check_timestamp(column: Column, path: str) -> None:
    """Checks that a column holds moments that `prepare` reads.

    Raises:
        DataError: it does not.
    """
    if not column.could_be_moments:
        raise DataError(
            f"{path}: column {column.name!r} holds {column.examples[:1]!r}, which is "
            "no moment that can be read; write ISO 8601 (2024-12-31 14:00:00) or "
            "seconds since 1970, or name another with --column timestamp=COLUMN"
        )


def _fixed(sample: Sample, asked: Mapping[str, str | None]) -> dict[str, Choice]:
    chosen: dict[str, Choice] = {}
    for key, column in asked.items():
        table, _, role = key.partition(".")
        if table == sample.table:
            name = None if column is None else sample.column(column).name
            chosen[role] = Choice(name, "as you say")
    return chosen


def _taken(chosen: Choices) -> set[str]:
    return {choice.column for choice in chosen.values() if choice.column}


def _choose_key(
    events: Sample, table: Sample, key: str, found: dict[str, dict[str, Choice]]
) -> None:
    """Chooses the columns by which events and another table name the same thing."""
    ours, theirs = found["events"].get(key), found[table.table].get(key)
    taken = {
        name
        for role, choice in found["events"].items()
        if role != key and (name := choice.column)
    }
    left = [events.column(str(ours.column))] if ours else _keys(events, key, taken)
    right = [table.column(str(theirs.column))] if theirs else _keys(table, key, set())
    if not right:
        raise _missing(table, key)
    left = left or [
        column for column in events.columns
        if column.kind in ("text", "number") and column.name not in taken
    ]  # fmt: skip
    pairs = [
        (-_overlap(one, other), place, other_place)
        for place, one in enumerate(left)
        for other_place, other in enumerate(right)
    ]
    overlap, place, other_place = min(pairs, default=(0.0, 0, 0))
    named = bool(left) and rank(left[place].name, key) is not None
    if -overlap < _SAME_IDS:
        place = other_place = 0
        named = bool(left) and rank(left[0].name, key) is not None
    why = f"{-overlap:.0%} of the ids seen are in both tables"
    if -overlap < _SAME_IDS:
        why = "by its name; few ids seen are in both tables" if named else ""
    if ours is None and left and (named or -overlap >= _SAME_IDS):
        found["events"][key] = Choice(left[place].name, why)
    if theirs is None:
        found[table.table][key] = Choice(right[other_place].name, why or "by its name")


def _keys(sample: Sample, key: str, taken: set[str]) -> list[Column]:
    """Returns the columns that may be a key, the likeliest first."""
    ranked = []
    for place, column in enumerate(sample.columns):
        named = rank(column.name, key)
        if sample.table != "events" and named is None and is_id(column.name):
            named = 500
        fits = column.kind in ("text", "number", "flag") and column.name not in taken
        if named is not None and fits:
            mostly = column.filled >= _MOSTLY * column.rows
            ranked.append((not mostly, named, place, column))
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:-1])]


def _overlap(one: Column, other: Column) -> float:
    fewer = min(len(one.values), len(other.values))
    return len(one.values & other.values) / fewer if fewer > 1 else 0.0


def _by_name(events: Sample, role: str, taken: set[str]) -> Choice:
    """Chooses by name among the columns of a fitting type, and says what else fits."""
    fitting = [c for c in events.columns if c.name not in taken and _fits(c, role)]
    named = [(rank(c.name, role), n) for n, c in enumerate(fitting)]
    ranked = sorted((place, n) for place, n in named if place is not None)
    if not ranked:
        return _without_name(events, role, fitting, taken)
    best = fitting[ranked[0][1]].name
    others = [fitting[n].name for _, n in ranked[1:]]
    if role == TIMESTAMP:
        others = [c.name for c in fitting if c.kind == "moment" and c.name != best]
    also = f"; {', '.join(map(repr, others))} would fit too" if others else ""
    return Choice(best, f"by its name{also}")


def _without_name(
    events: Sample, role: str, fitting: list[Column], taken: set[str]
) -> Choice:
    moments = [c.name for c in fitting if c.kind == "moment"]
    if role == TIMESTAMP and moments:
        also = "" if len(moments) == 1 else f"; {moments[1:]} would fit too"
        return Choice(moments[0], f"holds moments{also}")
    if role == TIMESTAMP:  # told by its name, refused by its values: say which
        for column in events.columns:
            if column.name not in taken and rank(column.name, role) is not None:
                return Choice(column.name, "by its name")
    misfits = [
        column.name
        for column in events.columns
        if column.name not in taken and rank(column.name, role) is not None
    ]
    if role in (QUANTITY, PRICE) and misfits:
        return Choice(None, f"{misfits[0]!r} holds texts that are no numbers")
    return Choice(None, "no such column")


def _fits(column: Column, role: str) -> bool:
    if role == TIMESTAMP:
        return column.could_be_moments
    if role in (QUANTITY, PRICE):
        return column.kind in ("number", "flag") and _counts(column)
    if role == EVENT_TYPE:
        return column.kind in ("text", "flag", "number") and _types(column)
    return column.kind in ("text", "number", "flag", "moment") and column.distinct > 1


def _counts(column: Column) -> bool:
    return all(value.lower() not in ("true", "false", "yes") for value in column.values)


def _types(column: Column) -> bool:
    """Tells whether a column holds event types: few, and one at least is known."""
    few = column.distinct <= _MOST_TYPES
    return few and any(known_type(value) for value in column.values)


def _missing(sample: Sample, role: str) -> DataError:
    which = f"{role}" if sample.table == "events" else f"{sample.table}.{role}"
    return DataError(
        f"{sample.name}: no column names {_WHO[role]}; its columns are "
        f"{sample.listed}; say which it is with --column {which}=COLUMN"
    )


def mapped(sample: Sample, choices: Choices) -> dict[str, str | None]:
    """Returns a table's `columns:`: what is called otherwise, and null for what is not.

    A column that merely has the name of an optional one must be declared null, else
    it would be read as it.
    """
    required, optional = TABLE_COLUMNS[sample.table]
    names = {column.name for column in sample.columns}
    columns: dict[str, str | None] = {}
    for role in (role for role in ORDER if role in required | optional):
        column = choices[role].column if role in choices else None
        if column is None and role in names:
            columns[role] = None
        elif column is not None and column != role:
            columns[role] = column
    return columns


def corrected(choices: Choices, role: str, column: str | None) -> dict[str, Choice]:
    """Returns choices of which one is another."""
    changed = replace(choices[role], column=column, why="as you say")
    return {**choices, role: changed}
