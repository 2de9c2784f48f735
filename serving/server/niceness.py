"""Gives way: work that clients do not wait for takes what the others leave."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

BATCHES = 5
"""How nice threads are that run batches, see `batching/scheduler.py`."""
LOADS = 15
"""How nice threads are that load a version while others are served."""

R = TypeVar("R")


def give_way(niceness: int) -> None:
    """Lets this thread, and those that it starts, give way to others for good."""
    if sys.platform == "linux":  # elsewhere this would be the whole process'
        os.nice(niceness)


def in_the_background(work: Callable[[], R]) -> R:
    """Returns what work returns, done by a thread that gives way to all others.

    Such a thread cannot become important again, so what is to last must not be
    started by the work.
    """
    with ThreadPoolExecutor(1, initializer=give_way, initargs=(LOADS,)) as pool:
        return pool.submit(work).result()
