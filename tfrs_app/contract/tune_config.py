"""The `tune:` section of a shop's YAML: which keys are searched, and how far."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from tfrs_app.contract.section import Count, Section

# A YAML number without a point, such as 1e-4, arrives as text.
End = Annotated[float, Field(allow_inf_nan=False, strict=False)]


class Dimension(Section):
    """Says which values of one key are searched: some choices, or a range of numbers.

    A bare list stands for its choices.
    """

    choices: Annotated[tuple[Any, ...], Field(strict=False, min_length=2)] | None = None
    low: End | None = None
    high: End | None = None
    log: bool = False
    """Whether numbers are drawn evenly by their logarithm."""

    @model_validator(mode="before")
    @classmethod
    def _list_is_short_for_choices(cls, given: Any) -> Any:
        if isinstance(given, list | tuple):
            return {"choices": given}
        if not isinstance(given, dict | Dimension):
            raise ValueError(
                "one value leaves nothing to search; give a list of choices or a range "
                "such as {low: 0.001, high: 0.1, log: true}"
            )
        return given

    @model_validator(mode="after")
    def _choices_or_range(self) -> Dimension:
        if self.choices is not None:
            if self.low is not None or self.high is not None or self.log:
                raise ValueError(
                    f"choices {list(self.choices)} stand beside low, high or log; give "
                    "either choices or a range"
                )
        elif self.low is None or self.high is None:
            raise ValueError(
                f"low is {self.low} and high is {self.high}; a range needs both"
            )
        elif self.low >= self.high:
            raise ValueError(
                f"low {self.low:g} is not below high {self.high:g}; exchange them"
            )
        elif self.log and self.low <= 0:
            raise ValueError(
                f"log is true but low is {self.low:g}, which has no logarithm; raise "
                "low above 0 or drop log"
            )
        return self


class TuneConfig(Section):
    """Says what a hyper-parameter search tries, and how often."""

    trials: Count = 30
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    """Of what is tried; each trial trains with the seed of `retrieval`."""
    space: Annotated[dict[str, Dimension], Field(min_length=1)]
    """Dotted key of the config -> its values."""
