"""Partial statistics of shards, and how they merge to those of a table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import numpy as np
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict

from beam.cleaning import LINE_BREAKS
from beam.planning import ROLES, column_name
from beam.tables import Column, TablePlan, Values
from tfrs_app.contract.features import FeatureSpec, Kind

_LINE_BREAK = re.compile(LINE_BREAKS)

SKETCH_VALUES = 100_000
"""Order statistics that a shard keeps of a numeric feature: all, or evenly spaced."""
_QUANTILES = np.linspace(0, 1, 101)

Summary: TypeAlias = dict[str, Any]


class Tokens(BaseModel):
    """Counts the values of a categorical feature."""

    model_config = ConfigDict(frozen=True)

    counts: dict[str, int]
    nulls: int


class Numbers(BaseModel):
    """Holds moments and order statistics of a numeric feature, in float32 values."""

    model_config = ConfigDict(frozen=True)

    count: int
    nulls: int
    mean: float
    squares: float
    """Sum of squared differences from the mean."""
    ordered: list[float]
    """Ascending; stands for `count` values, evenly."""


class Partial(BaseModel):
    """Holds what one shard of one table knows about its features."""

    model_config = ConfigDict(frozen=True)

    tokens: dict[str, Tokens] = {}
    numbers: dict[str, Numbers] = {}


def features_of(plan: TablePlan, spec: FeatureSpec) -> list[tuple[str, Column]]:
    """Returns (feature name, column) of the table's features that need statistics."""
    role = ROLES[plan.table]
    columns = {column.name: column for column in plan.columns}
    kinds = (Kind.CATEGORICAL, Kind.NUMERIC, Kind.BUCKETIZED)
    return [(f.name, columns[column_name(f)]) for f in spec.of(role, *kinds)]


def summarise(table: Any, features: Iterable[tuple[str, Column]]) -> Partial:
    """Returns the partial statistics of a shard's rows."""
    tokens, numbers = {}, {}
    for name, column in features:
        values = table.column(column.name).combine_chunks()
        if column.values is Values.NUMBER:
            numbers[name] = _numbers(values)
        else:
            tokens[name] = _tokens(values)
    return Partial(tokens=tokens, numbers=numbers)


def merge_tokens(partials: Iterable[Tokens]) -> Tokens:
    """Adds up counts."""
    counts: Counter[str] = Counter()
    nulls = 0
    for partial in partials:
        counts.update(partial.counts)
        nulls += partial.nulls
    return Tokens(counts=dict(counts), nulls=nulls)


def vocabulary(tokens: Tokens, min_count: int) -> list[str]:
    """Returns the tokens with enough rows, most frequent first, ties by bytes.

    A value with a line break can stand in no vocabulary file, so it is left out.
    """
    kept = [
        (-count, token)
        for token, count in tokens.counts.items()
        if count >= min_count and not _LINE_BREAK.search(token)
    ]
    return [token for _, token in sorted(kept)]


def merge_numbers(partials: Iterable[Numbers]) -> Summary:
    """Returns count, nulls, mean, std, min, max and 101 quantiles of all shards."""
    parts = list(partials)
    filled = [part for part in parts if part.count]
    count = sum(part.count for part in filled)
    summary: Summary = {"count": count, "nulls": sum(part.nulls for part in parts)}
    if not count:
        return summary
    mean = sum(part.mean * part.count for part in filled) / count
    squares = sum(p.squares + p.count * (p.mean - mean) ** 2 for p in filled)
    quantiles = _merged_quantiles(filled)
    return {
        **summary,
        "mean": mean,
        "std": float(np.sqrt(squares / count)),
        "min": min(part.ordered[0] for part in filled),
        "max": max(part.ordered[-1] for part in filled),
        "quantiles": quantiles,
    }


def _tokens(values: Any) -> Tokens:
    counts = pc.value_counts(values.drop_null())
    pairs: Mapping[str, int] = dict(
        zip(
            counts.field("values").to_pylist(),
            counts.field("counts").to_pylist(),
            strict=True,
        )
    )
    return Tokens(counts=dict(pairs), nulls=values.null_count)


def _numbers(values: Any) -> Numbers:
    # float32 is what the records hold, so what a reader sees is what is described.
    present = values.drop_null().to_numpy().astype(np.float32).astype(np.float64)
    ordered = np.sort(present)
    count = len(ordered)
    mean = float(ordered.mean()) if count else 0.0
    if count > SKETCH_VALUES:
        picks = np.linspace(0, count - 1, SKETCH_VALUES).round().astype(np.int64)
        kept = ordered[picks]
    else:
        kept = ordered
    return Numbers(
        count=count,
        nulls=values.null_count,
        mean=mean,
        squares=float(((ordered - mean) ** 2).sum()),
        ordered=kept.tolist(),
    )


def _merged_quantiles(parts: list[Numbers]) -> list[float]:
    """Interpolates linearly between order statistics, each weighing its shard's share.

    With all values kept this is numpy's default quantile.
    """
    values = np.concatenate([part.ordered for part in parts])
    weights = np.concatenate(
        [np.full(len(part.ordered), part.count / len(part.ordered)) for part in parts]
    )
    order = np.argsort(values, kind="stable")
    weights = weights[order]
    ends = np.cumsum(weights)
    ranks = ends - weights + (weights - 1) / 2
    wanted = _QUANTILES * (ends[-1] - 1)
    return [float(q) for q in np.interp(wanted, ranks, values[order])]
