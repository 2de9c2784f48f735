"""Guesses which columns of items and users are features, and of what kind."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass

from tfrs_app.cli.init.columns import Column
from tfrs_app.cli.init.names import words_of
from tfrs_app.contract.features import (
    RESERVED,
    RESERVED_BESIDE_EVENTS,
    Kind,
    Role,
)

FEW = 8
"""Whole numbers of so few values stand for kinds of things."""
_MANY_VALUES = 0.9
_LEAST_FILLED = 0.05
_ROWS_THAT_TELL = 20
_WORDS_OF_A_TEXT = 2.5
_PERSONAL = frozenset(
    [
        "email",
        "mail",
        "phone",
        "telefon",
        "tel",
        "mobile",
        "handy",
        "firstname",
        "lastname",
        "vorname",
        "nachname",
        "name",
        "street",
        "strasse",
        "address",
        "adresse",
        "birthday",
        "geburtstag",
        "geburtsdatum",
        "iban",
        "password",
        "passwort",
        "ip",
    ]
)
_CODES = frozenset(
    [
        "id",
        "nr",
        "no",
        "number",
        "nummer",
        "code",
        "sku",
        "ean",
        "gtin",
        "upc",
        "isbn",
        "asin",
        "handle",
    ]
)
_TEXTS = frozenset(
    [
        "title",
        "titel",
        "name",
        "description",
        "beschreibung",
        "bezeichnung",
        "body",
        "text",
        "kurztext",
        "langtext",
        "label",
        "summary",
    ]
)
_PLACES = re.compile(r"^(https?:|www\.|/)|\.(jpe?g|png|webp|gif|svg)$", re.IGNORECASE)


@dataclass(frozen=True)
class FeatureGuess:
    """Holds one line of `features:`, and why it is there."""

    name: str
    role: Role
    kind: Kind
    column: str
    why: str
    distinct: int = 0

    @property
    def dim(self) -> int | None:
        """Returns the width of a category's embedding; None for the default."""
        if self.kind is not Kind.CATEGORICAL or 64 < self.distinct <= 1000:
            return None
        return 4 if self.distinct <= FEW else 8 if self.distinct <= 64 else 32


@dataclass(frozen=True)
class LeftOut:
    """Names a column that is no feature, and says why."""

    column: str
    why: str


def item_features(
    columns: Iterable[Column], key: str
) -> tuple[list[FeatureGuess], list[LeftOut]]:
    """Guesses the features of items.

    Args:
        columns: of the items table.
        key: the column of the id.
    """
    return _features(columns, key, Role.CANDIDATE, taken=set())


def user_features(
    columns: Iterable[Column], key: str, taken: Iterable[str]
) -> tuple[list[FeatureGuess], list[LeftOut]]:
    """Guesses the features of users; what names a person is left out.

    Args:
        columns: of the users table.
        key: the column of the id.
        taken: names that items' features have, and their filters.
    """
    return _features(columns, key, Role.QUERY, set(taken))


def filters_of(features: Iterable[FeatureGuess]) -> set[str]:
    """Returns the names that no other feature may have beside some."""
    signs = ("allow", "block", "min", "max")
    names = {feature.name for feature in features}
    return names | {f"{sign}_{name}" for sign in signs for name in names}


def _features(
    columns: Iterable[Column], key: str, role: Role, taken: set[str]
) -> tuple[list[FeatureGuess], list[LeftOut]]:
    found: list[FeatureGuess] = []
    left_out: list[LeftOut] = []
    for column in columns:
        if column.name == key:
            continue
        kind, why = _judged(column, role)
        if kind is None:
            left_out.append(LeftOut(column.name, why))
            continue
        name = feature_name(column.name, role, taken)
        taken.add(name)
        found.append(FeatureGuess(name, role, kind, column.name, why, column.distinct))
    return found, left_out


def _judged(column: Column, role: Role) -> tuple[Kind | None, str]:
    """Returns what kind of feature a column is, or None, and why."""
    if column.kind == "nested":
        return None, "holds lists or objects"
    if column.distinct < 2:
        return None, "has the same value everywhere" if column.filled else "is empty"
    if column.filled < _LEAST_FILLED * column.rows:
        return None, "is nearly always empty"
    if role is Role.QUERY and _PERSONAL & set(words_of(column.name)):
        return None, "names a person"
    if column.kind == "moment":
        return None, "holds moments"
    if column.kind == "flag":
        return Kind.CATEGORICAL, f"two values: {', '.join(sorted(column.values))}"
    if column.kind == "number":
        return _number(column)
    return _text(column, role)


def _number(column: Column) -> tuple[Kind | None, str]:
    code = bool(_CODES & set(words_of(column.name))) and column.whole
    if _is_key(column) and (code or (column.whole and _digits(column) >= 8)):
        return None, "is a number of its own for nearly every row"
    if code or (column.whole and column.distinct <= FEW):
        return Kind.CATEGORICAL, f"{column.distinct} different whole numbers"
    return Kind.BUCKETIZED, "numbers"


def _text(column: Column, role: Role) -> tuple[Kind | None, str]:
    if any(_PLACES.search(example) for example in column.examples):
        return None, "holds addresses of pages or pictures"
    titled = bool(_TEXTS & set(words_of(column.name)))
    few = column.rows >= _ROWS_THAT_TELL and column.share_distinct < 0.2
    wordy = column.words >= _WORDS_OF_A_TEXT or (titled and not _is_code(column))
    if wordy and not few:
        if role is Role.CANDIDATE:
            return Kind.TEXT, f"{column.words:.0f} words on average"
        return None, "is free text"
    if _is_key(column):
        return None, "has a value of its own for nearly every row"
    return Kind.CATEGORICAL, f"{column.distinct:,} different values"


def _is_key(column: Column) -> bool:
    tells = column.rows >= _ROWS_THAT_TELL
    return tells and column.share_distinct > _MANY_VALUES


def _is_code(column: Column) -> bool:
    return bool(_CODES & set(words_of(column.name)))


def _digits(column: Column) -> int:
    return min(map(len, column.examples))


def feature_name(header: str, role: Role, taken: Iterable[str]) -> str:
    """Returns a name that a feature may have: of a header, and free."""
    beside = "item" if role is Role.CANDIDATE else "user"
    reserved = RESERVED if role is Role.CANDIDATE else RESERVED | RESERVED_BESIDE_EVENTS
    name = "_".join(words_of(header)) or beside
    if not name[0].isalpha() or name in {*reserved, *taken, "timestamp"}:
        name = f"{beside}_{name}"
    if keyword.iskeyword(name) or name.startswith("context_"):
        name = f"{beside}_{name}"
    free, number = name, 2
    while free in {*taken, *reserved}:
        free, number = f"{name}_{number}", number + 1
    return free
