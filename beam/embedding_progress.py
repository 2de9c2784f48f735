"""Tells how far the workers of the embedding stage are, whatever engine they run on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

PERIOD_S = 5.0


@contextmanager
def told(
    done: Callable[[], int], total: int, tell: Callable[[str], None]
) -> Iterator[None]:
    """Tells how many texts are done and how many a second, as it grows.

    The rate counts from the first finished batch on, so it holds no start of workers.

    Args:
        done: counts the finished texts.
        total: texts that there are.
        tell: takes a line.
    """
    ended = Event()
    thread = Thread(target=_watch, args=(done, total, tell, ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _watch(
    done: Callable[[], int], total: int, tell: Callable[[str], None], ended: Event
) -> None:
    first: tuple[float, int] | None = None
    before = 0
    while not ended.wait(PERIOD_S):
        moment, texts = time.monotonic(), done()
        if before < texts < total:
            first = first or (moment, texts)
            tell(line(texts, total, moment - first[0], texts - first[1]))
            before = texts


def line(texts: int, total: int, seconds: float, embedded: int) -> str:
    """Returns how far the work is, and its rate and rest as far as they are known."""
    far = f"  {texts:,} of {total:,} texts"
    if not embedded:
        return far
    rate = embedded / seconds
    return f"{far}, {rate:,.0f} texts/s, {(total - texts) / rate:,.0f} s left"
