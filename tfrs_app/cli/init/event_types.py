"""Guesses what a shop's event types mean and how much each counts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tfrs_app.cli.init.names import words_of

WEIGHTS = {"view": 0.1, "wishlist": 0.3, "cart": 0.5, "purchase": 1.0}
_KNOWN = {
    "view": (
        "view view_item item_view page_view pageview product_view viewed click clicked "
        "impression_click detail detail_view product_viewed select_item ansicht "
        "angesehen klick aufruf seitenaufruf"
    ),
    "wishlist": (
        "wishlist add_to_wishlist favorite favourite like save merkzettel merkliste "
        "wunschliste wunschzettel"
    ),
    "cart": (
        "cart add_to_cart addtocart add_cart cart_add basket add_to_basket "
        "product_added begin_checkout warenkorb in_den_warenkorb"
    ),
    "purchase": (
        "purchase purchased buy bought order ordered sale sold transaction checkout "
        "conversion order_completed ecommerce_purchase kauf gekauft bestellung "
        "bestellt verkauf"
    ),
}  # fmt: skip
_TYPES = {
    "".join(name.split("_")): kind
    for kind, names in _KNOWN.items()
    for name in names.split()
}


def known_type(value: str) -> str | None:
    """Returns what a file's event type means; None if nobody knows."""
    return _TYPES.get("".join(words_of(value)))


@dataclass(frozen=True)
class EventTypes:
    """Holds the section's keys about event types.

    Attributes:
        values: the file's value -> event type, None for what is left out; only those
            that are called otherwise.
        weights: of all types, the lightest first.
        why: in words.
    """

    values: dict[str, str | None]
    weights: dict[str, float]
    why: str


def types_of(values: Iterable[str]) -> EventTypes:
    """Guesses what the values of an event type column mean.

    Args:
        values: all that occur, at least one of which is known.
    """
    meaning = {value: known_type(value) for value in sorted(values)}
    kinds = {kind for kind in meaning.values() if kind}
    weights = {kind: weight for kind, weight in WEIGHTS.items() if kind in kinds}
    left_out = [value for value, kind in meaning.items() if kind is None]
    others = {value: kind for value, kind in meaning.items() if value != kind}
    told = f"unknown: {', '.join(left_out)}" if left_out else "all known"
    return EventTypes(others, weights, told)


def one_type(kind: str) -> EventTypes:
    """Returns the types of a table all of whose events are of one kind."""
    return EventTypes({}, {kind: 1.0}, "the events tell no types")


def type_of_file(path: str) -> str:
    """Returns the type of all events of a file without types, going by its name."""
    name = path.rsplit("/", 1)[-1].split(".")[0]
    views = {"view", "views", "click", "clicks", "pageviews", "ansichten", "klicks"}
    return "view" if views & set(words_of(name)) else "purchase"
