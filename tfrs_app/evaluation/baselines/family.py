"""A family of baselines: how one is fitted and which parameter values are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tfrs_app.evaluation.ranking import Scorer

Value = float | str | tuple[float, ...] | None
Parameters = Mapping[str, Value]


@dataclass(frozen=True)
class Family:
    """Names a baseline, how it is fitted and what tuning tries.

    Args:
        name: in the config, on the screen and in metrics.json.
        fit: takes a `Past` and one value of each parameter.
        values: parameter -> values, the first of which the search starts from; what
            is dear to change stands first.
        needs_content: whether the items must have texts or categories.
    """

    name: str
    fit: Callable[..., Scorer]
    values: Mapping[str, Sequence[Value]] = field(default_factory=dict)
    needs_content: bool = False
