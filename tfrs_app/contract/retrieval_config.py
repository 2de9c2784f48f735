"""The `retrieval:` section of a shop's YAML: two towers and how they are trained."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tfrs_app.contract.section import Count, Fraction, HalfLife, Positive, Section

HistoryEncoder = Literal["mean", "attention", "gru", "transformer"]
LogQ = Literal["counts", "streaming", "none"]
SEQUENCE_ENCODERS = ("gru", "transformer")
"""Encoders that read a history in order and so give a state after every event."""


class FactorsConfig(Section):
    """Adds linear factors in closed form to what query and item are compared by."""

    dim: Count = 32
    half_life_days: Positive = 112.0
    """Age at which an event counts half."""
    regularization: Positive = 300.0
    """The more, the less the weaker factors count."""
    history_length: Count | None = None
    """Most recent events that they see, which costs less than the towers' other eyes;
    null: as many as those see."""


class RetrievalConfig(Section):
    """Sizes and trains the two towers."""

    embedding_dim: Count = 64
    """Width of the item embedding and of what query and item are compared by."""
    query_layers: Annotated[tuple[Count, ...], Field(strict=False)] = (128,)
    candidate_layers: Annotated[tuple[Count, ...], Field(strict=False)] = (128,)
    similarity: Literal["dot", "cosine"] = "dot"
    temperature: Positive = 0.1
    """Of cosines: what they are divided by."""
    learn_temperature: bool = False

    history_encoder: HistoryEncoder = "mean"
    history_length: Count = 50
    """Most recent events that the query tower sees."""
    history_half_lives_days: Annotated[
        tuple[HalfLife, ...], Field(strict=False, min_length=1)
    ] = (7.0, 60.0, 400.0)
    """Encoder mean: one average each, in which an event of that age counts half."""
    history_heads: Count = 2
    """Encoders attention (one average each) and transformer."""
    history_blocks: Count = 2
    """Encoder transformer: blocks of attention and dense layer."""
    history_content: bool = True
    """Whether the query tower reads the history items' features, not only their ids."""

    history_dropout: Fraction = 0.0
    """Share of the history's events that are hidden in training."""

    factors: FactorsConfig | None = None
    """Linear factors of the events, fitted without gradients; null: none."""
    trend_days: Annotated[tuple[Positive, ...], Field(strict=False)] = ()
    """Windows whose event counts, as of the moment, show the candidate tower trends."""
    trend_dim: Count = 8
    """Width of what query and trend are compared by."""
    text_neighbours: Annotated[int, Field(ge=0)] = 0
    """Items worded alike whose mean trend stands beside an item's own; 0: none."""
    text_dim: Count = 64
    """Width that a text's vector is projected to."""

    batch_size: Annotated[int, Field(ge=2)] = 4096
    epochs: Count = 10
    learning_rate: Positive = 0.002
    catch_up_epochs: Annotated[int, Field(ge=0)] = 0
    """Epochs over the validation span, after it has chosen the best epoch."""
    patience: Count = 2
    """Epochs without a better validation metric before training stops."""
    validation_target: Literal["all", "first_purchase"] = "first_purchase"
    """What the model is for: the question whose NDCG picks the best epoch."""
    validation_k: Count = 20

    in_batch_negatives: bool = True
    """Whether the other targets of a batch are negatives."""
    uniform_negatives: Annotated[int, Field(ge=0)] = 8192
    """Items drawn evenly as negatives of each batch; the catalogue's size: all."""
    unseen_negatives: bool = True
    """Whether what nobody has had yet is a negative."""
    hard_negatives: Count | None = None
    """Only so many of a query's best scored negatives count; null: all."""
    log_q: LogQ = "counts"
    """Where the frequency of in-batch negatives is known from."""
    id_dropout: Fraction = 0.1
    """Share of candidates whose id is hidden in training, so that content counts."""
    norm_penalty: Annotated[float, Field(ge=0.0, strict=False)] = 0.0
    """How dear long query and item vectors are: what keeps a small shop's from being
    learned by heart."""
    repeat_weight: Annotated[float, Field(ge=0.0, le=1.0, strict=False)] = 1.0
    """How much an example counts whose item the user had before."""
    example_half_life_days: Positive | None = None
    """Age at which a training example counts half; null: all count alike."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42

    @property
    def longest_history(self) -> int:
        """Returns how many events a request may usefully show."""
        factors = self.factors and self.factors.history_length
        return max(self.history_length, factors or 0)

    @model_validator(mode="after")
    def _fits(self) -> RetrievalConfig:
        if not self.in_batch_negatives and not self.uniform_negatives:
            raise ValueError(
                "in_batch_negatives is false and uniform_negatives is 0, so nothing is "
                "compared; set uniform_negatives to some thousands"
            )
        if self.learn_temperature and self.similarity != "cosine":
            raise ValueError(
                f"learn_temperature is true but similarity is {self.similarity}, which "
                "has none; set similarity: cosine"
            )
        if self.history_encoder in SEQUENCE_ENCODERS and (
            self.longest_history > self.history_length
        ):
            raise ValueError(
                f"factors.history_length {self.longest_history} is more than "
                f"history_length {self.history_length}, which the encoder "
                f"{self.history_encoder} cannot tell apart; drop it or use mean"
            )
        heads, dim = self.history_heads, self.embedding_dim
        if self.history_encoder == "transformer" and dim % heads:
            raise ValueError(
                f"embedding_dim {dim} is no multiple of history_heads {heads}; "
                "change one of them"
            )
        return self
