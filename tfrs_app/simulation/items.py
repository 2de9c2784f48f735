"""The made shop's catalogue: words and category make an item what it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrs_app.simulation.options import ShopSize

DIMENSIONS = 8
CONSUMABLES = ("coffee", "tea", "soap", "cereal")
CATEGORIES = (
    *CONSUMABLES, "lamp", "chair", "knife", "ball", "puzzle", "towel", "planter", "mug",
)  # fmt: skip
WORDS = (
    "amber", "arctic", "bamboo", "bold", "brass", "bright", "calm", "classic", "coral",
    "cosy", "cotton", "crisp", "deep", "delicate", "dusky", "eco", "elegant", "fine",
    "floral", "folding", "forest", "fresh", "gentle", "glossy", "golden", "grand",
    "handmade", "heavy", "indigo", "ivory", "jolly", "light", "linen", "little",
    "lunar", "maple", "matte", "mellow", "mild", "misty", "modern", "nordic", "oak",
    "organic", "pastel", "plain", "quiet", "rapid", "rustic", "silver", "smooth",
    "soft", "solar", "spicy", "steel", "striped", "sturdy", "tiny", "velvet", "wild",
)  # fmt: skip
WORDS_A_TEXT = 3
CONTENT_SHARE = 0.45
"""Of an item's trait, what its category decides, and as much its words."""
LATE_SHARE = 0.3
"""Of the items, those that are launched after the first day."""
COMPLEMENT_SHARE = 0.2
"""Of the items, those that have a complement."""
STOCK_OUTS_A_DAY = 1 / 90
STOCK_OUT_DAYS = 5.0


@dataclass(frozen=True)
class Items:
    """Holds one value an item, `[items]`, unless said otherwise.

    Args:
        category: int, position in `CATEGORIES`.
        words: int `[items, WORDS_A_TEXT]`, positions in `WORDS`.
        price: float64, in money.
        trait: float64 `[items, DIMENSIONS + 1]`, what tastes are multiplied with; the
            last is the standardised logarithm of the price.
        popularity: float64, logarithm of how often everybody meets the item.
        trend: float64, by how much `popularity` grows over the whole span.
        launch_day: int, first day on which it is for sale.
        available: bool `[days, items]`: launched, and not out of stock.
        reorder_days: int, interval after which it is bought again; 0: no consumable.
        complement: int, the item that goes with it; -1: none.
    """

    category: np.ndarray
    words: np.ndarray
    price: np.ndarray
    trait: np.ndarray
    popularity: np.ndarray
    trend: np.ndarray
    launch_day: np.ndarray
    available: np.ndarray
    reorder_days: np.ndarray
    complement: np.ndarray


def draw_items(size: ShopSize, rng: np.random.Generator) -> Items:
    """Draws a catalogue."""
    n = size.items
    category = rng.integers(len(CATEGORIES), size=n)
    words = rng.random((n, len(WORDS))).argsort(axis=1)[:, :WORDS_A_TEXT]
    level = rng.normal(2.5, 0.8, len(CATEGORIES))[category]
    price = np.round(np.exp(level + rng.normal(0, 0.5, n)), 2) + 0.99
    launch_day = np.where(rng.random(n) < LATE_SHARE, rng.integers(1, size.days, n), 0)
    launch_day[0] = 0
    interval = rng.integers(7, 46, n)
    return Items(
        category=category,
        words=words,
        price=price,
        trait=_traits(category, words, price, rng),
        popularity=rng.normal(0, 0.9, n),
        trend=rng.normal(0, 0.6, n),
        launch_day=launch_day,
        available=_available(launch_day, size.days, rng),
        reorder_days=np.where(category < len(CONSUMABLES), interval, 0),
        complement=_complements(n, rng),
    )


def descriptions(items: Items) -> list[str]:
    """Returns each item's text: its words and the name of its category."""
    return [
        " ".join([*(WORDS[word] for word in words), CATEGORIES[category]])
        for words, category in zip(items.words, items.category, strict=True)
    ]


def _traits(
    category: np.ndarray, words: np.ndarray, price: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    of_category = rng.normal(size=(len(CATEGORIES), DIMENSIONS))[category]
    of_words = rng.normal(size=(len(WORDS), DIMENSIONS))[words].sum(axis=1)
    own = rng.normal(size=of_category.shape)
    trait = (
        np.sqrt(CONTENT_SHARE) * of_category
        + np.sqrt(CONTENT_SHARE / WORDS_A_TEXT) * of_words
        + np.sqrt(1 - 2 * CONTENT_SHARE) * own
    )
    level = np.log(price)
    standardised = (level - level.mean()) / level.std()
    return np.column_stack([trait, standardised])


def _available(
    launch_day: np.ndarray, days: int, rng: np.random.Generator
) -> np.ndarray:
    """Returns bool `[days, items]`; the first item is for sale on every day."""
    items = len(launch_day)
    spans = rng.poisson(days * STOCK_OUTS_A_DAY, items)
    spans[0] = 0
    item = np.repeat(np.arange(items), spans)
    start = rng.integers(days, size=len(item))
    length = 1 + rng.geometric(1 / STOCK_OUT_DAYS, len(item))
    change = np.zeros((days + 1, items), np.int64)
    np.add.at(change, (start, item), 1)
    np.add.at(change, (np.minimum(start + length, days), item), -1)
    out = change.cumsum(axis=0)[:days] > 0
    launched: np.ndarray = np.arange(days)[:, np.newaxis] >= launch_day
    return launched & ~out


def _complements(items: int, rng: np.random.Generator) -> np.ndarray:
    """Returns each item's partner; partners name each other."""
    paired = rng.permutation(items)[: 2 * round(items * COMPLEMENT_SHARE / 2)]
    left, right = paired.reshape(2, -1)
    complement = np.full(items, -1)
    complement[left], complement[right] = right, left
    return complement
