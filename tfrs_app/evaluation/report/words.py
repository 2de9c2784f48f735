"""How names and numbers of `metrics.json` are written for people, as HTML."""

from __future__ import annotations

from html import escape
from math import isfinite
from typing import Any

TARGETS = {
    "all": (
        "Everything bought",
        "Every distinct item that the customer bought in the test window counts, also "
        "what they had bought before.",
    ),
    "first_purchase": (
        "New to the customer",
        "Only items that the customer had never bought before count, and items that "
        "they had are left out of the lists.",
    ),
}
SLICES = {
    "short_history": "the quarter of customers with the fewest earlier events",
    "long_history": "the quarter of customers with the most earlier events",
    "cold_items": "bought items without any earlier event",
    "warm_items": "bought items with an earlier event",
    "head_items": "bought items among the few that make up half of all earlier events",
    "tail_items": "all other bought items with an earlier event",
    "repeat": "bought items that the customer had bought before",
    "first": "bought items that the customer had never bought",
    "cold_candidates": "items without any earlier event, ranked among themselves",
}
METRICS = {
    "ndcg": "how many bought items are in the first k, early places counting more; 1 "
    "is a perfect list",
    "recall": "share of a customer's bought items that are among the first k",
    "map": "mean average precision: precision at each hit among the first k, summed "
    "and divided by the most hits possible",
    "hit_rate": "share of customers with any hit among the first k",
    "mrr": "mean of 1 / rank of the first hit",
    "coverage": "share of the catalogue that is in anybody's first k",
    "novelty": "mean surprise of a listed item in bits: one that half of the customers "
    "had has 1",
    "gini": "how unequally items are listed: 0 all alike, 1 always the same",
    "diversity": "1 - mean similarity of two items of a list, by their texts",
}
FATES = {
    "not_in_catalogue": "the served model does not have the item",
    "barred": "the request excludes the item",
    "not_proposed": "no source has it among its candidates",
    "ranked_low": "proposed, but ranked behind the first k",
    "listed": "among the first k: a hit",
}
SOURCES = {
    "two_tower": "nearest to the customer by the towers",
    "repeat": "the customer's own items",
    "bought_together": "what goes with the latest items",
    "popular": "what most customers lately had",
    "new": "the towers' best of the new items",
    "all": "all sources together",
}
STAGES = {
    "purchases": "what the customers then bought themselves",
    "two_tower": "candidates of the towers alone",
    "candidates": "candidates of all sources",
    "ranked": "first k by the ranker",
    "diversified": "first k with diversity DIVERSITY",
}
_CAPITALS = {"ndcg": "NDCG", "map": "MAP", "mrr": "MRR"}


def spoken(name: str) -> str:
    """Returns a name without underscores, escaped."""
    return escape(name.replace("_", " "))


def title_of(target: str) -> str:
    """Returns a target's heading, escaped."""
    title, _ = TARGETS.get(target, (target.replace("_", " "), ""))
    return escape(title)


def meaning_of(target: str) -> str:
    """Returns what counts for a target, as HTML."""
    _, meaning = TARGETS.get(target, ("", ""))
    return meaning


def metric_label(metric: str) -> str:
    """Returns a metric's name as headings show it, escaped."""
    name, at, k = metric.partition("@")
    return _CAPITALS.get(name, spoken(name).capitalize()) + at + escape(k)


def figure(value: float, digits: int = 4) -> str:
    """Returns a number with so many decimals, or words for what is none."""
    if not isfinite(value):
        return "not known"
    return f"{value:.{digits}f}"


def signed(value: float) -> str:
    """Returns a difference with its sign, or words for what is no number."""
    return f"{value:+.4f}" if isfinite(value) else figure(value)


def percentage(value: float, digits: int = 1, sign: str = "") -> str:
    """Returns a share in percent, or words for what is no number."""
    if not isfinite(value):
        return figure(value)
    return f"{value * 100:{sign}.{digits}f} %"


def between(bounds: Any, digits: int = 4) -> str:
    """Returns an interval's bounds."""
    low, high = bounds
    return f"{figure(low, digits)} to {figure(high, digits)}"


def setting(value: object) -> str:
    """Returns the value of a parameter, escaped."""
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(setting(one) for one in value)
    return f"{value:g}" if isinstance(value, int | float) else escape(str(value))


def day(moment: str) -> str:
    """Returns an ISO moment to the minute, without a time at midnight, escaped."""
    text = moment[:16].replace("T", " ")
    return escape(text.removesuffix(" 00:00"))
