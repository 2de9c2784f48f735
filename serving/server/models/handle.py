"""A loaded version and who uses it."""

from __future__ import annotations

import threading

from serving.server.models.servable import Servable


class Handle:
    """Keeps a version loaded until its last user is gone.

    Closing a session cancels the calls that run in it, so it waits for them.
    """

    def __init__(self, servable: Servable) -> None:
        """Takes a loaded version; nobody uses it yet."""
        self.servable = servable
        self._users = 0
        self._unused = threading.Condition()

    def acquire(self) -> None:
        """Notes one more user."""
        with self._unused:
            self._users += 1

    def release(self) -> None:
        """Notes that a user has gone."""
        with self._unused:
            self._users -= 1
            if not self._users:
                self._unused.notify_all()

    def close(self, timeout_s: float | None = None) -> None:
        """Waits until nobody uses the version, then frees it.

        No new user may come: whoever calls this has taken it from the registry.

        Args:
            timeout_s: after which calls that still run are cancelled; None waits on.
        """
        with self._unused:
            self._unused.wait_for(lambda: not self._users, timeout_s)
        self.servable.close()
