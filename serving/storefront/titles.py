"""A short name for an item, from a text that may repeat its categories."""

from __future__ import annotations

from collections.abc import Collection

_LETTERS_OF_A_SHOUT = 4


def title_of(text: str, values: Collection[str]) -> str:
    """Returns a text without the broader categories that it starts with or ends in.

    Of "DAIRY MILK WHOLE MILK 1 GA National" with the values DAIRY, MILK, WHOLE MILK
    and National it leaves "Whole milk 1 ga": what comes before a narrower value goes.

    Args:
        text: of an item.
        values: of its categories.
    """
    whole = text.strip()
    short = _without_last(_without_first(whole, values), values)
    return _calm(short or whole)


def _without_first(text: str, values: Collection[str]) -> str:
    while True:
        rest = _after_a_value(text, values)
        if rest is None or _after_a_value(rest, values) is None:
            return text
        text = rest


def _after_a_value(text: str, values: Collection[str]) -> str | None:
    """Returns what follows the longest value that a text starts with."""
    found = [value for value in values if text == value or text.startswith(value + " ")]
    return text[len(max(found, key=len)) :].lstrip() if found else None


def _without_last(text: str, values: Collection[str]) -> str:
    for value in sorted(values, key=len, reverse=True):
        if text.endswith(" " + value):
            rest = text[: -len(value)].rstrip()
            if rest not in values or len(text.split()) > len(rest.split()):
                return rest
    return text


def _calm(text: str) -> str:
    """Returns a text in upper case as a sentence; any other as it is."""
    letters = [letter for letter in text if letter.isalpha()]
    shouted = len(letters) >= _LETTERS_OF_A_SHOUT and text.upper() == text
    return text.capitalize() if shouted else text
