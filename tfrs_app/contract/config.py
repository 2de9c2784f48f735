"""The typed, frozen, strict configuration: one YAML file describes one shop."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.features import Feature, FeatureSpec, Name
from tfrs_app.contract.where import parse_where

Fraction = Annotated[float, Field(ge=0, le=1, strict=False)]
Positive = Annotated[float, Field(gt=0, strict=False)]
Count = Annotated[int, Field(ge=1)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _moment(value: Any) -> Any:
    """Turns a YAML date, datetime or ISO 8601 text into an aware UTC datetime."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    if isinstance(value, datetime) and value.tzinfo is None:
        value = value.replace(tzinfo=UTC)
    return value


def _zone(value: Any) -> Any:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise ValueError(
            f"{value!r} is not a time zone; write for example Europe/Berlin"
        ) from error
    return value


def _where(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        parse_where(value)
    except ConfigError as error:
        raise ValueError(str(error)) from error
    return value


Moment = Annotated[datetime, BeforeValidator(_moment)]
Zone = Annotated[str, BeforeValidator(_zone)]
Where = Annotated[str, BeforeValidator(_where)]


class TableConfig(_Section):
    """Locates a table and maps its columns; unmapped columns keep their names."""

    source: str
    """A path, a glob, or `package:NAME/PATH` inside an installed Python package."""
    format: Literal["parquet", "csv", "jsonl"] | None = None
    """Told by the file name's ending where absent."""
    columns: dict[str, str] = {}
    """Contract column (user_id, item_id, ...) -> the file's column."""
    where: Where | None = None
    """Rows to keep, in terms of the file's columns, e.g. `quantity > 0`."""


class EventsConfig(TableConfig):
    """Adds what only events have: a time zone and types."""

    timezone: Zone = "UTC"
    """Zone of timestamps that carry none."""
    event_type: str = "purchase"
    """Type of every event where no `event_type` column is mapped."""


class SplitConfig(_Section):
    """Cuts time in three: train < validation_start <= validation < test_start <= test.

    Moments without a zone are UTC. Without `test_end` the test lasts to the end.
    """

    validation_start: Moment
    test_start: Moment
    test_end: Moment | None = None

    @model_validator(mode="after")
    def _ordered(self) -> SplitConfig:
        moments = [self.validation_start, self.test_start]
        moments += [self.test_end] if self.test_end else []
        if any(a >= b for a, b in itertools.pairwise(moments)):
            raise ValueError(
                "needs validation_start < test_start < test_end, received "
                + " , ".join(moment.isoformat() for moment in moments)
            )
        return self


class DataConfig(_Section):
    """Says where the three tables lie and how time is cut."""

    events: EventsConfig
    items: TableConfig
    users: TableConfig | None = None
    split: SplitConfig
    item_min_users: Count = 1
    """Distinct users of the training span before an item enters the id vocabulary."""
    max_rejected: Fraction = 0.01
    """Share of rejected rows of a table above which the job fails."""
    shards: Count = 4
    """Number of files of each kind in the dataset."""
    layout: Literal["sequences", "rows"] = "sequences"
    """Whether the dataset holds one record a training example beside the sequences."""
    row_history_length: Count = 50
    """Most recent earlier events that such a record shows."""

    @property
    def rows_shown(self) -> int | None:
        """Returns the events that a training row shows; None without such rows."""
        return self.row_history_length if self.layout == "rows" else None


class RetrievalConfig(_Section):
    """Sizes and trains the two towers."""

    embedding_dim: Count = 64
    """Width of the item embedding and of both towers' output."""
    query_layers: Annotated[tuple[Count, ...], Field(strict=False)] = (128,)
    candidate_layers: Annotated[tuple[Count, ...], Field(strict=False)] = (128,)
    history_length: Count = 50
    """Most recent events that the query tower sees."""
    history_half_life_days: Positive | None = None
    """Age at which an event of the history counts half; null: all count alike."""
    temperature: Positive = 0.1
    batch_size: Annotated[int, Field(ge=2)] = 4096
    epochs: Count = 10
    learning_rate: Positive = 0.002
    catch_up_epochs: Annotated[int, Field(ge=0)] = 0
    """Epochs over the validation span, after it has chosen the best epoch."""
    patience: Count = 2
    """Epochs without a better validation recall before training stops."""
    validation_k: Count = 100
    """The k of the validation recall that picks the best epoch."""
    uniform_negatives: Annotated[int, Field(ge=0)] = 0
    """Items drawn uniformly from the catalogue as further negatives of each batch."""
    id_dropout: Fraction = 0.1
    """Share of candidates whose id is hidden in training, so that content counts."""
    popularity_days: Annotated[tuple[Positive, ...], Field(strict=False)] = ()
    """Windows whose event counts, as of the moment, show the candidate tower trends."""
    example_half_life_days: Positive | None = None
    """Age at which a training example counts half; null: all count alike."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42


class EvaluationConfig(_Section):
    """Names the cut-offs of the metrics."""

    ks: Annotated[tuple[Count, ...], Field(strict=False, min_length=1)] = (10, 20, 100)


class ExportConfig(_Section):
    """Chooses the index inside the SavedModel."""

    index: Literal["exact", "scann"] = "scann"
    scann_leaves_searched: Fraction = 0.2
    """Share of the partitions that a ScaNN query searches."""
    warmup_requests: Annotated[int, Field(ge=0, le=1000)] = 8
    """Real requests stored for TF Serving's warm-up."""


class ShopConfig(_Section):
    """Describes one shop: its tables, features, models and how they are served."""

    shop: Name
    data: DataConfig
    event_weights: dict[str, Positive] = {"purchase": 1.0}
    features: Annotated[tuple[Feature, ...], Field(strict=False)] = ()
    retrieval: RetrievalConfig = RetrievalConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    export: ExportConfig = ExportConfig()
    artifacts: str = "artifacts"
    """Folder under which `<shop>/{datasets,runs,reports,models}` are made."""

    @model_validator(mode="after")
    def _features_have_tables(self) -> ShopConfig:
        spec = self.spec
        profile = [f.name for f in spec.features if f.role == "query"]
        if profile and self.data.users is None:
            raise ValueError(
                f"features {profile} have role query but data.users is absent; "
                "name the users table or drop the features"
            )
        constant = self.data.events.event_type
        mapped = "event_type" in self.data.events.columns
        if not mapped and constant not in self.event_weights:
            raise ValueError(
                f"data.events.event_type {constant!r} has no weight; add it to "
                f"event_weights {dict(self.event_weights)}"
            )
        return self

    @property
    def spec(self) -> FeatureSpec:
        """Returns the feature spec that travels with the dataset."""
        return FeatureSpec(features=self.features, event_weights=self.event_weights)

    @property
    def root(self) -> Path:
        """Returns the folder of all this shop's artefacts."""
        return Path(self.artifacts) / self.shop
