"""What the page knows of a shop: plain values, from wherever they come."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from serving.storefront.titles import title_of
from serving.storefront.word_index import WordIndex

Value = str | float | int


@dataclass(frozen=True)
class Category:
    """Holds a column of strings, one for each item; empty for none."""

    name: str
    values: Sequence[str]

    @cached_property
    def counts(self) -> list[tuple[str, int]]:
        """Returns each value and how many items have it, the most frequent first."""
        counted = Counter(self.values)
        del counted[""]
        return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))

    @cached_property
    def count_of(self) -> dict[str, int]:
        """Returns how many items have each value."""
        return dict(self.counts)

    def find(self, words: str, limit: int) -> list[tuple[str, int]]:
        """Returns values that contain some words, and how many items have each."""
        sought = words.casefold().split()
        found = (
            pair
            for pair in self.counts
            if all(word in pair[0].casefold() for word in sought)
        )
        return [pair for pair, _ in zip(found, range(limit), strict=False)]

    def of(self, row: int) -> str | None:
        """Returns an item's value; None for none."""
        return self.values[row] or None


@dataclass(frozen=True)
class Number:
    """Holds a column of numbers, one for each item; NaN for none."""

    name: str
    values: Sequence[float]

    @cached_property
    def range(self) -> tuple[float, float] | None:
        """Returns the least and the greatest number; None if no item has one."""
        known = [value for value in self.values if math.isfinite(value)]
        return (min(known), max(known)) if known else None

    def of(self, row: int) -> float | None:
        """Returns an item's number; None for none."""
        value = float(self.values[row])
        return value if math.isfinite(value) else None


Column = Category | Number


@dataclass(frozen=True)
class ProfileField:
    """Describes what a request may tell of a shopper or of the moment.

    Attributes:
        name: of the model's input.
        values: that were seen; None for a number.
    """

    name: str
    values: Sequence[str] | None


@dataclass(frozen=True)
class Event:
    """Says what a shopper did, and when, in seconds since the epoch."""

    item_id: str
    event_type: str
    timestamp: int


@dataclass(frozen=True)
class Example:
    """Describes a shopper of the shop's own data.

    Attributes:
        shopper_id: as the data has it.
        events: oldest first.
        moment: when they are asked for, in seconds since the epoch.
        features: what else a request tells of them.
    """

    shopper_id: str
    events: Sequence[Event]
    moment: int
    features: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class Catalogue:
    """Holds a shop's items and some of its shoppers.

    Attributes:
        shop: its name.
        item_ids: distinct.
        texts: of each item.
        columns: what items are described and filtered by.
        popularity: how often each item was asked for: orders what words find.
        listed: whether each item is on sale; the others only stand in histories.
        event_types: that the shop logs, the weightiest last.
        profile: what requests may tell beside a history.
        examples: shoppers to look at.
        moment: when somebody new is asked for: the end of the data.
    """

    shop: str
    item_ids: Sequence[str]
    texts: Sequence[str]
    columns: Sequence[Column]
    popularity: Sequence[int]
    listed: Sequence[bool]
    event_types: Sequence[str]
    profile: Sequence[ProfileField]
    examples: Sequence[Example]
    moment: int

    def __post_init__(self) -> None:
        """Checks that there is one of everything for each item.

        Raises:
            ValueError: names what is too short or too long.
        """
        lengths = {
            "texts": len(self.texts),
            "popularity": len(self.popularity),
            "listed": len(self.listed),
            **{column.name: len(column.values) for column in self.columns},
        }
        for name, length in lengths.items():
            if length != len(self.item_ids):
                raise ValueError(
                    f"{name} has {length} entries, there are {len(self.item_ids)} items"
                )

    @cached_property
    def rows(self) -> dict[str, int]:
        """Returns the row of each item."""
        return {item_id: row for row, item_id in enumerate(self.item_ids)}

    @cached_property
    def words(self) -> WordIndex:
        """Returns what finds items on sale by ids and words."""
        on_sale = [row for row in range(len(self.item_ids)) if self.listed[row]]
        on_sale.sort(key=lambda row: -self.popularity[row])
        return WordIndex(
            (row, f"{self.item_ids[row]} {self.texts[row]}") for row in on_sale
        )

    @cached_property
    def example_of(self) -> dict[str, Example]:
        """Returns the example shoppers by id."""
        return {example.shopper_id: example for example in self.examples}

    @cached_property
    def column_of(self) -> dict[str, Column]:
        """Returns the columns by name."""
        return {column.name: column for column in self.columns}

    def item(self, item_id: str) -> dict[str, Any]:
        """Returns what a card shows of an item, known or not."""
        row = self.rows.get(item_id)
        if row is None:
            return {"item_id": item_id, "title": item_id, "text": "", "facts": []}
        facts = [
            {"name": column.name, "value": value}
            for column in self.columns
            if (value := column.of(row)) is not None
        ]
        title = title_of(self.texts[row], self._categories(row)) or item_id
        return {
            "item_id": item_id,
            "title": title,
            "text": self.texts[row],
            "facts": facts,
        }

    def _categories(self, row: int) -> dict[str, int]:
        """Returns an item's categories, and how many items have each."""
        found: dict[str, int] = {}
        for column in self.columns:
            if isinstance(column, Category) and (value := column.of(row)):
                found[value] = min(column.count_of[value], found.get(value, 1 << 62))
        return found
