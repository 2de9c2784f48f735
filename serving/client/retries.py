"""When a request that failed may be sent again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from serving.client.errors import InvalidRequest


@dataclass(frozen=True)
class Retries:
    """Says how often and how fast a request is sent again.

    Only what is sure to do no harm is retried: a server that is not reached, that
    closed the connection, or said UNAVAILABLE. The pause before retry n is drawn
    evenly between 0 and `first_pause_s` * 2**(n - 1), at most `longest_pause_s` ("full
    jitter", https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).

    Attributes:
        attempts: a call sends at most so many; 1 never retries.
        first_pause_s: bound of the first pause.
        longest_pause_s: bound of every pause.
        budget: retries that all calls together may have in hand; each new call adds
            a tenth, so that a server in trouble gets a tenth more calls, not times
            `attempts`.
    """

    attempts: int = 4
    first_pause_s: float = 0.05
    longest_pause_s: float = 1.0
    budget: float = 10.0

    def __post_init__(self) -> None:
        """Checks the numbers.

        Raises:
            InvalidRequest: names the number, its value and the rule.
        """
        if self.attempts < 1:
            raise InvalidRequest(f"attempts {self.attempts} must be at least 1")
        for name in ("first_pause_s", "longest_pause_s", "budget"):
            if getattr(self, name) < 0:
                raise InvalidRequest(
                    f"{name} {getattr(self, name)} must not be below 0"
                )

    def pause_s(self, failures: int, random: Callable[[], float]) -> float:
        """Returns how long to wait after so many failures, one or more.

        Args:
            failures: of this call so far.
            random: draws from [0, 1).
        """
        # Beyond 2**30 only the bound counts, and floats overflow.
        bound = self.first_pause_s * 2.0 ** min(failures - 1, 30)
        return random() * min(bound, self.longest_pause_s)


class RetryBudget:
    """Counts the retries that all calls of a client may still make."""

    _EARNED_BY_A_CALL = 0.1

    def __init__(self, size: float) -> None:
        """Takes how many there are at first, and at most."""
        self._size = self._left = size
        self._lock = threading.Lock()

    def earn(self) -> None:
        """Adds what a new call brings in."""
        with self._lock:
            self._left = min(self._size, self._left + self._EARNED_BY_A_CALL)

    def spend(self) -> bool:
        """Takes one retry; False if there is none."""
        with self._lock:
            if self._left < 1:
                return False
            self._left -= 1
            return True
