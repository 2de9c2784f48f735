"""The `ranking:` section of a shop's YAML: candidate sources and what orders them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from tfrs_app.contract.formula import Formula
from tfrs_app.contract.section import Count, Fraction, HalfLife, Positive, Section

Size = Annotated[int, Field(ge=0)]


class SourcesConfig(Section):
    """How many candidates each source proposes; 0: the source is not asked."""

    two_tower: Count = 300
    """The index' best; it alone can fill every list, so it is never left out."""
    repeat: Size = 100
    """The history's own items, those first that were had often and lately."""
    bought_together: Size = 50
    """What others have in one basket with the history's latest items."""
    popular: Size = 50
    """What most users lately had."""
    new: Size = 0
    """The best, by the towers, of the items that nobody had longer ago than
    `new_days`."""
    new_days: Positive = 28.0


SOURCES = ("two_tower", "repeat", "bought_together", "popular", "new")
"""In the order of the columns that tell who proposed a candidate."""


class TargetAttentionConfig(Section):
    """Sizes what weighs a history's events by the candidate that is scored (DIN)."""

    history: Count = 50
    """Newest events that are weighed."""
    dim: Count = 8
    """Width that the towers' item vectors are projected to."""
    units: Count = 8
    """Hidden units that weigh an event."""


class ImpressionsConfig(Section):
    """Says which lists a shop showed, and what becomes their label."""

    source: str
    """Table that `tfrs-app impressions` made, or one like it: a path, a glob, a
    `scheme://` URL that Beam's filesystems know."""
    within_hours: Positive = 24.0
    """What happens to an item within so many hours after it was shown is its label."""
    lists: Count = 20_000
    """Shown lists that train at most; of more so many are drawn."""


class RankingConfig(Section):
    """Sizes and trains the ranker."""

    sources: SourcesConfig = SourcesConfig()
    history_length: Count | None = None
    """Most recent events that sources and cross features see, where that is more than
    the towers see; null: as many as those."""
    half_lives_days: Annotated[
        tuple[HalfLife, ...], Field(strict=False, min_length=1)
    ] = (1.0, 7.0, 28.0, 112.0, float("inf"))
    """Cross features: one count each, in which an event of that age counts half."""
    trend_days: Annotated[tuple[Positive, ...], Field(strict=False, min_length=1)] = (
        7.0,
        28.0,
        112.0,
    )
    """Windows whose event counts, as of the moment, show the ranker trends."""
    cross_features: bool = True
    """Whether the ranker is told what the history says of a candidate, counted by
    hand."""
    target_attention: TargetAttentionConfig | None = None
    """Whether it learns too which events matter to a candidate; null: not."""
    content: bool = False
    """Whether the ranker learns embeddings of the declared features too: for shops
    with millions of labels."""

    members: Count = 3
    """Networks that learn beside each other; lists are ordered by what they say in
    the mean."""
    cross_layers: Annotated[int, Field(ge=0)] = 2
    cross_rank: Count | None = None
    """Rank of the cross layers' matrices; null: full."""
    deep_layers: Annotated[tuple[Count, ...], Field(strict=False)] = (64, 32)
    parallel: bool = False
    """Whether the deep layers stand beside the cross layers instead of behind them."""
    dropout: Fraction = 0.1
    experts: Size = 0
    """Deep layers that the tasks share by learned shares (MMoE); 0: one for all."""
    entire_space: bool = False
    """Whether a weightier event's probability is that of the next lighter one times a
    conditional one (ESMM)."""

    loss: Literal["binary", "softmax", "pairwise"] = "softmax"
    score: str | None = None
    """What lists are ordered by: arithmetic over event types, which stand for their
    probabilities, and numeric item features; null: the weightiest event type."""
    calibration: Literal["platt", "isotonic"] = "platt"

    horizon_days: Positive = 28.0
    """What happens within so many days is a candidate's label."""
    every_days: Positive = 7.0
    """Days between the moments of the validation span that users are asked at."""
    earlier_days: Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)] = 0.0
    """Days before that span at which they are asked too. The towers have learned those
    days by heart, so of these lists the ranker is not told what they learned."""
    trust_towers: bool = True
    """Whether the ranker is told the towers' learned score and whether they proposed a
    candidate, where their training did not see what followed; false: never."""
    newcomers: Annotated[float, Field(ge=0, lt=1, strict=False)] = 0.0
    """Share of the training lists that are asked as if the user were new: only the last
    0 to 3 events are shown."""
    impressions: ImpressionsConfig | None = None
    """Lists that were shown, to train on beside those that the sources propose."""
    negatives: Count = 200
    """Candidates of a training list that nothing happened to; the others are left
    out, and those that stay count for them."""
    held_out_users: Annotated[float, Field(gt=0, lt=1)] = 0.2
    """Share of the users who choose the best epoch and calibrate instead of
    training."""

    batch_size: Count = 64
    """Lists a step."""
    epochs: Count = 8
    patience: Count = 2
    learning_rate: Positive = 0.001
    average_decay: Annotated[float, Field(ge=0, lt=1, strict=False)] = 0.99
    """The weights that judge, and are served, are a mean over the steps, in which each
    step counts so much of the next one; 0: the last step's."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42

    def longest_history(self, towers: int) -> int:
        """Returns how many events a request may usefully show, given the towers'."""
        return max(towers, self.history_length or 0)

    @field_validator("score")
    @classmethod
    def _is_arithmetic(cls, score: str | None) -> str | None:
        if score is not None:
            Formula(score)
        return score

    @model_validator(mode="after")
    def _is_a_network(self) -> RankingConfig:
        if not self.cross_layers and not self.deep_layers:
            raise ValueError(
                "cross_layers is 0 and deep_layers is [], so nothing is learned; keep "
                "one of them"
            )
        if self.experts and not self.deep_layers:
            raise ValueError(
                f"experts is {self.experts} but deep_layers is []; name their widths"
            )
        return self
