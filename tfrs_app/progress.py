"""How long steps show that they go on: one look for all of them.

On a terminal a bar, elsewhere a line every few seconds, both on stderr and both with
counts, rate and the time that is left. A step that is over soon shows nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

LINE_PERIOD_S = 10.0
BAR_PERIOD_S = 0.5
COUNT_PERIOD_S = 5.0
"""Between two looks at what others have done, which may mean to read many files."""
SHOWN_AFTER_S = 1.0
"""Bars of steps that are over sooner would only flicker."""
_T = TypeVar("_T")
_bars: list[Progress] = []
"""The display while there is one: steps inside a step share it."""
_running: list[Meter] = []
"""The steps of now, from the outermost in: without bars only the last one tells."""


class Meter:
    """Counts what a step has done, and tells it now and then.

    Args:
        what: the step is, in words.
        unit: of what is counted, in the plural; empty: nothing is.
        total: of all; None where nobody knows.
    """

    def __init__(self, what: str, unit: str, total: int | None) -> None:
        self._what, self._unit, self._total = what, unit, total
        self._done = 0
        self._started = self._told_at = time.monotonic()
        self._first: tuple[float, int] | None = None
        self._bar: TaskID | None = None
        if _bars:
            self._bar = _bars[-1].add_task(what, total=total, visible=False, told="")

    def advance(self, count: int = 1, note: Callable[[], str] | None = None) -> None:
        """Counts more as done.

        Args:
            count: of it.
            note: what else there is to say; called only when it is shown.
        """
        self.reach(self._done + count, note)

    def reach(self, done: int, note: Callable[[], str] | None = None) -> None:
        """Sets what is done so far, see `advance`."""
        now = time.monotonic()
        if done and self._first is None:
            self._first = (now, done)
        self._done = done
        period = LINE_PERIOD_S if self._bar is None else BAR_PERIOD_S
        if now - self._told_at >= period:
            self._told_at = now
            self._tell(now, note() if note else "")

    def _tell(self, now: float, note: str) -> None:
        moment, before = self._first or (now, self._done)
        told = line(self._done, self._total, self._unit, now - moment, before)
        if not self._unit:
            told = _duration(now - self._started)
        told = ", ".join(part for part in (told, note) if part)
        if self._bar is None:
            if _running[-1:] == [self]:
                _stderr().print(f"  {self._what}: {told}")
        elif now - self._started >= SHOWN_AFTER_S:
            _bars[-1].update(self._bar, completed=self._done, told=told, visible=True)

    def end(self) -> None:
        """Takes the step's bar away."""
        if self._bar is not None:
            _bars[-1].remove_task(self._bar)


@contextmanager
def metered(what: str, unit: str, total: int | None = None) -> Iterator[Meter]:
    """Yields what counts a step's progress, see `Meter`."""
    with _display():
        meter = Meter(what, unit, total)
        _running.append(meter)
        try:
            yield meter
        finally:
            _running.remove(meter)
            meter.end()


def counted(steps: Iterable[_T], what: str, unit: str, total: int) -> Iterator[_T]:
    """Yields steps and shows how many are done."""
    with metered(what, unit, total) as meter:
        for step in steps:
            yield step
            meter.advance()


@contextmanager
def watched(
    what: str,
    unit: str = "",
    total: int | None = None,
    done: Callable[[], int] | None = None,
) -> Iterator[None]:
    """Shows the progress of a call that does not tell of it.

    Args:
        what: the step is, in words.
        unit: of what is counted; empty: the time is shown instead.
        total: of all.
        done: counts what is done, in another thread.
    """
    ended = Event()
    with metered(what, unit, total) as meter:

        def watch() -> None:
            while not ended.wait(COUNT_PERIOD_S if done else BAR_PERIOD_S):
                meter.reach(done() if done else 0)

        thread = Thread(target=watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def line(
    done: int, total: int | None, unit: str, seconds: float, before: int = 0
) -> str:
    """Returns how far a step is, and its rate and rest as far as they are known.

    Args:
        done: so far.
        total: of all, if that is known.
        unit: in the plural.
        seconds: since `before` was done.
        before: what does not count for the rate, since the start was in it.
    """
    far = f"{done:,} {unit}" if total is None else f"{done:,} of {total:,} {unit}"
    if done <= before or seconds <= 0:
        return far
    rate = (done - before) / seconds
    told = f"{far}, {_number(rate)} {unit}/s"
    if total is None or done >= total:
        return told
    return f"{told}, {_duration((total - done) / rate)} left"


def _number(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def _display() -> Iterator[None]:
    """Shows bars where both outputs are a terminal, unless they are shown already."""
    console = _stderr()
    if _bars or not (console.is_terminal and sys.stdout.isatty()):
        yield
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[told]}"),
    )
    bars = Progress(*columns, console=console, transient=True, refresh_per_second=4)
    with bars:
        _bars.append(bars)
        try:
            yield
        finally:
            _bars.pop()


def _stderr() -> Console:
    return Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
