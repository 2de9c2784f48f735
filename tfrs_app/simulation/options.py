"""How large the made shop is, and by which probabilities its customers act."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from tfrs_app.contract.errors import ConfigError

START = datetime(2024, 1, 1, tzinfo=UTC)
"""The first day; a Monday."""
SECONDS_PER_DAY = 86400
LEAST = {"users": 20, "items": 40, "days": 28, "seed": 0}
MOST = {"users": 999_999, "items": 999_999, "days": 3660, "seed": 2**32 - 1}


@dataclass(frozen=True)
class ShopSize:
    """Holds the numbers that a user chooses.

    Raises:
        ConfigError: one of them is out of its range.
    """

    users: int = 5000
    items: int = 2000
    days: int = 180
    seed: int = 42

    def __post_init__(self) -> None:
        for name, least in LEAST.items():
            value = getattr(self, name)
            if not least <= value <= MOST[name]:
                raise ConfigError(
                    f"--{name}: must lie between {least} and {MOST[name]}, received "
                    f"{value}; choose another number"
                )

    @property
    def window_days(self) -> int:
        """Returns the days of the validation window, and as many of the test."""
        return max(self.days // 12, 2)


@dataclass(frozen=True)
class Behaviour:
    """Holds the probabilities that are the same for everybody."""

    positions: int = 12
    """Places of the page that each session sees."""
    position_exponent: float = 0.7
    """A page's place p, from 0, is looked at with probability (p + 1) ** -exponent."""
    cart: float = 0.4
    """Of an item that was viewed, that it goes into the cart."""
    purchase: float = 0.6
    """Of an item in the cart, that it is bought."""
    complement: float = 0.3
    """Of a bought item's complement, that it is bought along."""
    reorder: float = 0.6
    """Of a bought consumable, that it is bought again after its interval."""
    reorder_jitter: float = 0.1
    """Share of the interval by which a reorder comes earlier or later, at most."""


BEHAVIOUR = Behaviour()
