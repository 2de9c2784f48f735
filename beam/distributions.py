"""Makes the distributions of quality.json from counts by token or code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from beam.tallies import numbers_of
from tfrs_app.contract.dataset import EVERY_SPAN
from tfrs_app.contract.quality import HISTOGRAM_BINS, Histogram, Tokens


@dataclass(frozen=True)
class Keyed:
    """Holds counts by key: tokens large_string, or codes int64 numpy; ascending.

    `counts`: int64 [keys, spans]; `nulls`: int64 [spans], of missing values.
    """

    keys: Any
    counts: Any
    nulls: Any


def keyed(tally: pa.Table, spans: int) -> Keyed:
    """Splits a tally into counts of values, in their order, and of missing ones.

    Args:
        tally: of one column, see `Tallies`.
        spans: number of spans, of which a table without time has one.
    """
    keys = tally.column("key").combine_chunks().drop_null()
    columns = [tally.column(span).to_numpy() for span in EVERY_SPAN[:spans]]
    counts = np.stack(columns, axis=1)
    numbers = pa.types.is_integer(keys.type)
    return Keyed(
        keys=keys.to_numpy() if numbers else keys,
        counts=counts[: len(keys)],
        nulls=counts[len(keys) :].sum(axis=0),
    )


def top_tokens(counts: Keyed, listed: int, min_count: int = 1) -> Tokens:
    """Returns the most frequent tokens of at least `min_count` rows, ties by bytes."""
    totals = counts.counts.sum(axis=1)
    top = np.argsort(-totals, kind="stable")[:listed]
    top = top[totals[top] >= min_count]
    names = counts.keys.take(pa.array(top)).to_pylist()
    shown = dict(zip(names, totals[top].tolist(), strict=True))
    return Tokens(
        listed=shown,
        other=int(totals.sum()) - sum(shown.values()),
        nulls=int(counts.nulls.sum()),
    )


def histogram(counts: Keyed) -> Histogram:
    """Returns a histogram of numbers whose codes were counted."""
    totals = counts.counts.sum(axis=1)
    return binned(numbers_of(counts.keys), totals, int(counts.nulls.sum()))


def binned(values: Any, counts: Any, nulls: int = 0) -> Histogram:
    """Joins neighbouring values into bins that hold about as many rows each.

    Args:
        values: float64 [values], ascending.
        counts: int64 [values], rows of each.
        nulls: rows without a value.
    """
    places = np.arange(len(values))
    if len(values) > HISTOGRAM_BINS:
        ends = np.cumsum(counts)
        middles = 2 * ends - counts
        places = middles * HISTOGRAM_BINS // (2 * ends[-1])
    starts = np.flatnonzero(np.diff(places, prepend=-1))
    stops = np.append(starts, len(values))[1:]
    sums = np.add.reduceat(counts, starts) if len(values) else counts
    return Histogram(
        low=values[starts].tolist(),
        high=values[stops - 1].tolist(),
        count=sums.tolist(),
        nulls=nulls,
    )
