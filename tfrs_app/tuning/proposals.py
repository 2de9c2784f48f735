"""Between a search's values and the numbers and names that Optuna deals in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.contract.search_space import Space, interval, value_at, with_values
from tfrs_app.contract.tune_config import Dimension

DIGITS = 4
"""Significant ones of a tried number: more say nothing and are hard to read."""


def distributions_of(space: Space) -> dict[str, BaseDistribution]:
    """Returns what Optuna draws each key from."""
    return {key: _distribution(key, dimension) for key, dimension in space.items()}


def values_of(params: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """Returns the config's values for what Optuna drew."""
    return {key: _value(params[key], dimension) for key, dimension in space.items()}


def params_of(config: RetrievalConfig, space: Space) -> dict[str, Any] | None:
    """Returns a config's own values as if drawn; None if the space lacks one."""
    params = {key: _param(config, key, space[key]) for key in space}
    return None if None in params.values() else params


def _distribution(key: str, dimension: Dimension) -> BaseDistribution:
    if dimension.choices is not None:
        return CategoricalDistribution(_names(dimension.choices))
    low, high = interval(key, dimension)
    if isinstance(low, int) and isinstance(high, int):
        return IntDistribution(low, high, log=dimension.log)
    return FloatDistribution(low, high, log=dimension.log)


def _names(choices: tuple[Any, ...]) -> list[str]:
    """Returns the choices as texts: Optuna cannot store lists."""
    return [json.dumps(choice) for choice in choices]


def _value(param: Any, dimension: Dimension) -> Any:
    if dimension.choices is not None:
        return json.loads(param)
    if isinstance(param, int):
        return param
    rounded = float(f"{param:.{DIGITS}g}")
    assert dimension.low is not None
    assert dimension.high is not None
    return min(max(rounded, dimension.low), dimension.high)


def _param(config: RetrievalConfig, key: str, dimension: Dimension) -> Any:
    present = value_at(config, key)
    if dimension.choices is not None:
        for choice, name in zip(
            dimension.choices, _names(dimension.choices), strict=True
        ):
            if value_at(with_values(config, {key: choice}), key) == present:
                return name
        return None
    low, high = interval(key, dimension)
    return present if present is not None and low <= present <= high else None
