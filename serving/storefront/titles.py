"""A short name for an item, from a text that may be a join of its categories."""

from __future__ import annotations

from collections.abc import Mapping

_LETTERS_OF_A_SHOUT = 4


def title_of(text: str, values: Mapping[str, int]) -> str:
    """Returns a text without the broad categories that it starts with and ends in.

    Of "DAIRY MILK WHOLE MILK 1 GA National" it leaves "Whole milk 1 ga": the rarest of
    the categories, and what is none. A text that starts with no category stays whole.

    Args:
        text: of an item.
        values: its categories, and how many items have each.
    """
    first, rest = _leading(text.strip(), values)
    if not first:
        return _calm(rest)
    last, middle = _trailing(rest, values)
    rarest = min((*reversed(first), *last), key=values.__getitem__)
    return _calm(
        f"{rarest} {middle}".strip() if rarest in first or not middle else middle
    )


def _leading(text: str, values: Mapping[str, int]) -> tuple[list[str], str]:
    """Returns the values that a text starts with, and what follows."""
    found: list[str] = []
    while starts := [v for v in values if text == v or text.startswith(f"{v} ")]:
        found.append(max(starts, key=len))
        text = text[len(found[-1]) :].lstrip()
    return found, text


def _trailing(text: str, values: Mapping[str, int]) -> tuple[list[str], str]:
    """Returns the values that a text ends in, and what comes before."""
    found: list[str] = []
    while ends := [v for v in values if text == v or text.endswith(f" {v}")]:
        found.append(max(ends, key=len))
        text = text[: -len(found[-1])].rstrip()
    return found, text


def _calm(text: str) -> str:
    """Returns a text in upper case as a sentence; any other as it is."""
    letters = [letter for letter in text if letter.isalpha()]
    shouted = len(letters) >= _LETTERS_OF_A_SHOUT and text.upper() == text
    return text.capitalize() if shouted else text
