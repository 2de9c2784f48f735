"""Finds items by the beginnings of words, while somebody types."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable

_WORD = re.compile(r"\w+")


class WordIndex:
    """Knows which items have which words."""

    def __init__(self, texts: Iterable[tuple[int, str]]) -> None:
        """Takes numbered texts, in the order in which they are to be found."""
        self._number: list[int] = []
        places: dict[str, list[int]] = {}
        for place, (number, text) in enumerate(texts):
            self._number.append(number)
            for word in set(_words(text)):
                places.setdefault(word, []).append(place)
        self._words = sorted(places)
        self._places = [places[word] for word in self._words]

    def find(self, text: str, limit: int) -> list[int]:
        """Returns the first texts that have, for each word, one that starts so."""
        sought = _words(text)
        if not sought:
            return []
        longest_first = sorted(set(sought), key=len, reverse=True)
        found = self._starting(longest_first[0])
        for word in longest_first[1:]:
            if not found:
                break
            found &= self._starting(word)
        return [self._number[place] for place in sorted(found)[:limit]]

    def _starting(self, prefix: str) -> set[int]:
        found: set[int] = set()
        for place in range(bisect_left(self._words, prefix), len(self._words)):
            if not self._words[place].startswith(prefix):
                break
            found.update(self._places[place])
        return found


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
