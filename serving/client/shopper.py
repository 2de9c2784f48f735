"""Whom a recommendation is for, as a model's inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from serving.client.errors import InvalidRequest

HISTORY = "history_item_id"
EVENT_TYPES = "history_event_type"
TIMESTAMPS = "history_timestamp"
MOMENT = "timestamp"
EXCLUDE = "exclude"


@dataclass(frozen=True)
class Shopper:
    """Describes somebody by what they did; a new shopper has done nothing yet.

    Attributes:
        history: item ids, oldest first.
        event_types: one for each of the history; empty: all of the weightiest type.
        timestamps: seconds since the epoch of each; empty: just now.
        timestamp: seconds since the epoch of the request; None: the server's clock.
        features: the model's query and context features by name.
        exclude: item ids that must not be listed.
    """

    history: Sequence[str] = ()
    event_types: Sequence[str] = ()
    timestamps: Sequence[int] = ()
    timestamp: int | None = None
    features: Mapping[str, Any] = field(default_factory=dict)
    exclude: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Checks that the histories are of one length.

        Raises:
            InvalidRequest: names the one that is not, or an id list that is a string.
        """
        for name in ("history", "exclude"):
            if isinstance(getattr(self, name), str):
                raise InvalidRequest(f"{name} is a string; give a list of item ids")
        for name in ("event_types", "timestamps"):
            length = len(getattr(self, name))
            if length not in (0, len(self.history)):
                raise InvalidRequest(
                    f"{name} has {length} entries, history {len(self.history)}; they "
                    "must be of one length"
                )


def query_inputs(shoppers: Sequence[Shopper]) -> dict[str, Any]:
    """Returns the inputs that describe shoppers, one row each, histories padded.

    Raises:
        InvalidRequest: there is nobody, or only some of them tell a field.
    """
    if not shoppers:
        raise InvalidRequest("nobody to ask for; give at least one shopper")
    inputs: dict[str, Any] = {HISTORY: _padded([s.history for s in shoppers], "")}
    buyers = [shopper for shopper in shoppers if shopper.history]
    if _all_tell("event_types", [bool(s.event_types) for s in buyers]):
        inputs[EVENT_TYPES] = _padded([s.event_types for s in shoppers], "")
    if _all_tell("timestamps", [bool(s.timestamps) for s in buyers]):
        inputs[TIMESTAMPS] = _padded([s.timestamps for s in shoppers], 0)
    if _all_tell("timestamp", [s.timestamp is not None for s in shoppers]):
        inputs[MOMENT] = [s.timestamp for s in shoppers]
    for name in sorted({name for s in shoppers for name in s.features}):
        _all_tell(name, [name in s.features for s in shoppers])
        inputs[name] = [s.features[name] for s in shoppers]
    return inputs


def exclude_inputs(shoppers: Sequence[Shopper]) -> dict[str, Any]:
    """Returns the input of what must not be listed, if there is any."""
    if not any(shopper.exclude for shopper in shoppers):
        return {}
    return {EXCLUDE: _padded([shopper.exclude for shopper in shoppers], "")}


def _padded(rows: Sequence[Sequence[Any]], blank: Any) -> list[list[Any]]:
    longest = max(1, *map(len, rows))
    return [[blank] * (longest - len(row)) + list(row) for row in rows]


def _all_tell(name: str, told: Sequence[bool]) -> bool:
    if any(told) and not all(told):
        raise InvalidRequest(
            f"{name}: some shoppers of the request tell it and some do not; ask for "
            "them apart"
        )
    return any(told)
