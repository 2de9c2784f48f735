"""How much load, for how long; bounded, and on this machine unless told otherwise."""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass

from serving.client.connect import place_of
from serving.client.errors import InvalidRequest
from tfrs_app.contract.errors import ConfigError

_MAX_RATE = 20_000.0
_MAX_SECONDS = 4 * 3600.0
_MAX_IN_FLIGHT = 4096
_MAX_REQUESTS = 5_000_000
_LOCAL = ("localhost", "localhost.localdomain")


@dataclass(frozen=True)
class Plan:
    """Describes a load.

    Attributes:
        rate: requests a second, evenly spaced.
        seconds: how long requests are sent.
        in_flight: requests that may be on their way at once; those beyond are not sent
            but counted as failed, so that a server that hangs costs no memory here.
        timeout_s: until a request counts as failed, from its scheduled time.
        swap_every_s: seconds between versions that are published meanwhile; None: none.
    """

    rate: float
    seconds: float
    in_flight: int = 256
    timeout_s: float = 5.0
    swap_every_s: float | None = None

    def __post_init__(self) -> None:
        """Checks the numbers.

        Raises:
            ConfigError: names the number, its value and its bounds.
        """
        swap_s = self.swap_every_s
        bounds = {
            "rate": (self.rate, _MAX_RATE),
            "seconds": (self.seconds, _MAX_SECONDS),
            "in_flight": (self.in_flight, _MAX_IN_FLIGHT),
            "timeout_s": (self.timeout_s, _MAX_SECONDS),
            "swap_every_s": (1.0 if swap_s is None else swap_s, math.inf),
        }
        for name, (value, most) in bounds.items():
            if not 0 < value <= most:
                raise ConfigError(
                    f"{name} {value:g} must be above 0 and at most {most:g}"
                )

        if self.rate * self.seconds > _MAX_REQUESTS:
            raise ConfigError(
                f"rate {self.rate:g} for {self.seconds:g} seconds is more than "
                f"{_MAX_REQUESTS:,} requests; choose less of one"
            )

    @property
    def requests(self) -> int:
        """Returns how many requests are sent, at least one."""
        return max(1, round(self.rate * self.seconds))


def check_address(address: str, *, allow_remote: bool) -> None:
    """Checks that a load stays on this machine.

    Args:
        address: as `connect` takes it.
        allow_remote: whether another machine may be loaded.

    Raises:
        ConfigError: the address has another form, or is another machine's and that is
            not allowed.
    """
    try:
        host = place_of(address).target.rpartition(":")[0].strip("[]")
    except InvalidRequest as error:
        raise ConfigError(str(error)) from error
    if allow_remote or host in _LOCAL:
        return
    try:
        is_local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = False  # a name may mean any machine
    if not is_local:
        raise ConfigError(
            f"{address} is not this machine's loopback, and a load test can take a "
            "server down; allow it with --allow-remote if it is yours"
        )
