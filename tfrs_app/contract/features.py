"""The feature spec: declared once in the YAML, then it travels with every artefact."""

from __future__ import annotations

import hashlib
import json
import keyword
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

ITEM_ID = "item_id"
USER_ID = "user_id"
HISTORY_ITEM_ID = "history_item_id"
HISTORY_EVENT_TYPE = "history_event_type"
HISTORY_TIMESTAMP = "history_timestamp"
RESERVED = frozenset(
    {
        USER_ID, ITEM_ID, HISTORY_ITEM_ID, HISTORY_EVENT_TYPE, HISTORY_TIMESTAMP,
        "basket_item_id", "diversity", "exclude", "k", "personal", "query",
    }
)  # fmt: skip
RESERVED_BESIDE_EVENTS = frozenset(
    {
        "event_type", "quantity", "price", "session_id", "target_start", "length",
        "target", "moment", "weight", "query_row",
    }
)  # fmt: skip
"""Names that stand beside query features in a record or a batch, not beside items'."""


class Role(StrEnum):
    """Whose property a feature is, hence which table and which tower holds it."""

    QUERY = "query"
    """The user's profile or history: `users` table, query tower."""
    CANDIDATE = "candidate"
    """The item's: `items` table, candidate tower."""
    CONTEXT = "context"
    """The moment's (time, device, store): `events` table, query tower."""
    LABEL = "label"
    """What is to be predicted: the event type."""


class Kind(StrEnum):
    """How a feature's raw values become numbers."""

    ID = "id"
    ID_SEQUENCE = "id_sequence"
    CATEGORICAL = "categorical"
    NUMERIC = "numeric"
    BUCKETIZED = "bucketized"
    TIMESTAMP = "timestamp"
    TEXT = "text"

    @property
    def is_string(self) -> bool:
        """Tells whether raw values are strings; else they are numbers."""
        return self not in (Kind.NUMERIC, Kind.BUCKETIZED, Kind.TIMESTAMP)


DECLARABLE = {
    Role.QUERY: {Kind.CATEGORICAL, Kind.NUMERIC, Kind.BUCKETIZED},
    Role.CANDIDATE: {Kind.CATEGORICAL, Kind.NUMERIC, Kind.BUCKETIZED, Kind.TEXT},
    Role.CONTEXT: {
        Kind.CATEGORICAL, Kind.NUMERIC, Kind.BUCKETIZED, Kind.TIMESTAMP,
    },
}  # fmt: skip
"""The kinds that a YAML may declare in each role; ids and labels are built in."""


class Feature(BaseModel):
    """Describes one input of the model: its name, role, kind and source columns.

    A `text` feature may join several columns; every other kind reads one column, which
    is called like the feature unless `columns` says otherwise.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Name
    role: Annotated[Role, Field(strict=False)]
    kind: Annotated[Kind, Field(strict=False)]
    columns: Annotated[tuple[str, ...], Field(strict=False)] = ()
    dim: Annotated[int, Field(ge=1, le=1024)] = 16
    """Width of the embedding (categorical, bucketized, timestamp parts)."""
    buckets: Annotated[int, Field(ge=2, le=1000)] = 10
    """Number of equally filled buckets (bucketized)."""
    min_count: Annotated[int, Field(ge=1)] = 1
    """Rows (users or items) that must hold a value before it enters the vocabulary."""

    @property
    def filters(self) -> tuple[str, ...]:
        """Returns the inputs of a request that filter items by it, if it can.

        What must and what must not be among an item's values, or the least and the
        greatest number.
        """
        if self.role is not Role.CANDIDATE or self.kind in (Kind.TEXT, Kind.ID):
            return ()
        first, second = (
            ("allow", "block") if self.kind is Kind.CATEGORICAL else ("min", "max")
        )
        return f"{first}_{self.name}", f"{second}_{self.name}"

    @model_validator(mode="before")
    @classmethod
    def _default_columns(cls, values: Any) -> Any:
        if isinstance(values, dict) and not values.get("columns") and "name" in values:
            return {**values, "columns": (values["name"],)}
        return values

    @model_validator(mode="after")
    def _one_column(self) -> Feature:
        if len(self.columns) != 1 and self.kind is not Kind.TEXT:
            raise ValueError(
                f"a {self.kind} feature reads one column, received "
                f"{list(self.columns)}; only kind text joins several"
            )
        return self


def _declared(feature: Feature) -> Feature:
    allowed = DECLARABLE.get(feature.role, set())
    if feature.kind not in allowed:
        raise ValueError(
            f"feature {feature.name!r}: role {feature.role} with kind {feature.kind} "
            f"cannot be declared; use one of "
            f"{sorted(allowed) or 'query, candidate, context'}"
        )
    beside_events = feature.role is not Role.CANDIDATE
    taken = RESERVED | RESERVED_BESIDE_EVENTS if beside_events else RESERVED
    misused = feature.name == "timestamp" and feature.kind is not Kind.TIMESTAMP
    misused |= keyword.iskeyword(feature.name)  # a signature's input is a parameter
    if feature.name in taken or feature.name.startswith("context_") or misused:
        raise ValueError(
            f"feature name {feature.name!r} is taken; give the feature another name"
        )
    return feature


BUILT_IN = (
    Feature(name=ITEM_ID, role=Role.CANDIDATE, kind=Kind.ID),
    Feature(
        name=HISTORY_ITEM_ID,
        role=Role.QUERY,
        kind=Kind.ID_SEQUENCE,
        columns=(ITEM_ID,),
    ),
    Feature(
        name=HISTORY_EVENT_TYPE,
        role=Role.QUERY,
        kind=Kind.ID_SEQUENCE,
        columns=("event_type",),
    ),
    Feature(name="event_type", role=Role.LABEL, kind=Kind.CATEGORICAL),
)
"""What every shop has; `history_timestamp` accompanies the two sequences."""


class FeatureSpec(BaseModel):
    """Holds every declared feature and the event types with their weights.

    Built-in inputs (item id, history ids, types and timestamps) belong to every spec.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    features: Annotated[tuple[Feature, ...], Field(strict=False)] = ()
    event_weights: dict[str, Annotated[float, Field(gt=0, strict=False)]] = {
        "purchase": 1.0
    }
    """Event type -> how much an event of this type counts (purchase: 1.0)."""

    @model_validator(mode="after")
    def _consistent(self) -> FeatureSpec:
        names = [_declared(feature).name for feature in self.features]
        doubles = sorted({name for name in names if names.count(name) > 1})
        if doubles:
            raise ValueError(f"feature names must be unique, received twice: {doubles}")
        timestamps = [f.name for f in self.features if f.kind is Kind.TIMESTAMP]
        if timestamps not in ([], ["timestamp"]):
            raise ValueError(
                "the one feature of kind timestamp is called 'timestamp' (the moment "
                f"of the request), received {timestamps}"
            )
        filters = {name: f.name for f in self.features for name in f.filters}
        for f in self.features:
            if f.role is not Role.CANDIDATE and f.name in filters:
                raise ValueError(
                    f"feature name {f.name!r} is what requests filter "
                    f"{filters[f.name]!r} by; give the feature another name"
                )
        if not self.event_weights:
            raise ValueError("event_weights must name at least one event type")
        return self

    def of(self, role: Role, *kinds: Kind) -> tuple[Feature, ...]:
        """Returns the declared features of a role, of the given kinds or of all."""
        return tuple(
            f
            for f in self.features
            if f.role is role and (not kinds or f.kind in kinds)
        )

    @property
    def event_types(self) -> tuple[str, ...]:
        """Returns the event types in the order in which the YAML names them."""
        return tuple(self.event_weights)

    @property
    def fingerprint(self) -> str:
        """Returns the sha256 of the canonical JSON: equal specs, equal fingerprints."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(canonical.encode()).hexdigest()
