"""A queue between the threads that answer and the one that writes."""

from __future__ import annotations

import threading
from collections import deque

from serving.server.configs.logging import LoggingPolicy
from serving.server.operations.request_log.record import Record

Item = tuple[LoggingPolicy, Record]


class BoundedQueue:
    """Takes records as long as there is room; nobody waits for room."""

    def __init__(self, max_records: int, max_bytes: int) -> None:
        """Takes what may wait at most."""
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._bytes = 0
        self._items: deque[Item] = deque()
        self._changed = threading.Condition()
        self._closed = False

    def put(self, policy: LoggingPolicy, record: Record) -> bool:
        """Adds a record; returns whether there was room."""
        size = record.size
        with self._changed:
            if (
                self._closed
                or len(self._items) >= self._max_records
                or self._bytes + size > self._max_bytes
            ):
                return False
            self._items.append((policy, record))
            self._bytes += size
            self._changed.notify()
        return True

    def take(self, timeout_s: float) -> list[Item]:
        """Returns all that waits, after a time nothing."""
        with self._changed:
            if not self._items and not self._closed:
                self._changed.wait(timeout_s)
            items = list(self._items)
            self._items.clear()
            self._bytes = 0
        return items

    def close(self) -> None:
        """Takes no more records; what waits can still be taken."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    @property
    def closed(self) -> bool:
        """Tells whether no record will come any more."""
        return self._closed
