"""Which index a catalogue gets: measured on its own items with its users' queries."""

from __future__ import annotations

import bisect
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import tensorflow as tf
from rich.table import Table

from tfrs_app.contract.config import ExportConfig
from tfrs_app.contract.errors import ConfigError
from tfrs_app.export.index import ExactIndex, Index, ScannIndex, TrainedScann
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.retrieval import RetrievalModel

SMALLEST_SCANN_CATALOGUE = 1000
"""Under this, training a partition tree makes no sense and exact search is faster."""
QUERIES = 256
K = 100
SHARES_SEARCHED = (
    0.01,
    0.02,
    0.025,
    0.03,
    0.035,
    0.04,
    0.05,
    0.06,
    0.08,
    0.1,
    0.13,
    0.16,
    0.2,
    0.4,
    0.7,
    1.0,
)
CALLS = {1: 40, 32: 5}
"""Queries a call -> calls that are timed."""
EXACT = "exact"


@dataclass(frozen=True)
class Measured:
    """Holds what one index is good for."""

    index: str
    """exact or scann."""
    leaves_searched: float | None
    """Share of the partitions, of scann."""
    recall: float
    """Mean share of the exact index' best 100 that it finds."""
    p50_ms: Mapping[int, float]
    """Queries a call -> median milliseconds of a call."""
    megabytes: float


@dataclass(frozen=True)
class IndexChoice:
    """Pairs the index that was chosen with all that were measured."""

    index: Index
    chosen: Measured
    measured: tuple[Measured, ...]

    @property
    def table(self) -> Table:
        """Returns what was measured as a table, the chosen index marked."""
        heads = (f"ms, {batch} at once" for batch in CALLS)
        table = Table("index", "searched", f"recall@{K}", *heads, "MB", "")
        for one in self.measured:
            share = one.leaves_searched
            table.add_row(
                one.index,
                "all" if share is None else f"{share:.1%}",
                f"{one.recall:.4f}",
                *(f"{taken:.2f}" for taken in one.p50_ms.values()),
                f"{one.megabytes:.1f}",
                "chosen" if one is self.chosen else "",
            )
        return table

    @property
    def json(self) -> bytes:
        """Returns the same as JSON, for the model's folder."""
        rows = [{**asdict(one), "chosen": one is self.chosen} for one in self.measured]
        return json.dumps(rows, indent=2).encode()


def choose_index(
    embeddings: tf.Variable,
    queries: np.ndarray,
    config: ExportConfig,
    listed: np.ndarray | None = None,
) -> IndexChoice:
    """Builds the configured index, or the faster one that finds enough.

    Args:
        embeddings: of the catalogue, `[items, dim]`.
        queries: float32 `[queries, dim]`, as users ask.
        config: the section `export`.
        listed: bool `[items]`, False for what is never found; None: all are listed.

    Raises:
        ConfigError: ScaNN is wanted, but finds too little or the catalogue is too small
            for it.
    """
    exact = ExactIndex(embeddings, listed)
    found: dict[float | None, tuple[Index, float]] = {None: (exact, 1.0)}
    if config.index != EXACT:
        items = embeddings.numpy()
        found |= _scanns(items, exact, queries, config, listed)
    indices = {share: index for share, (index, _) in found.items()}
    times = median_times(indices, queries, min(K, embeddings.shape[0]))
    measured = tuple(
        Measured(
            index=EXACT if share is None else "scann",
            leaves_searched=share,
            recall=recall_of_one,
            p50_ms=times[share],
            megabytes=_megabytes(index),
        )
        for share, (index, recall_of_one) in found.items()
    )
    chosen = chosen_of(measured, config)
    return IndexChoice(found[chosen.leaves_searched][0], chosen, measured)


def _scanns(
    embeddings: np.ndarray,
    exact: Index,
    queries: np.ndarray,
    config: ExportConfig,
    listed: np.ndarray | None,
) -> dict[float | None, tuple[Index, float]]:
    """Returns ScaNN by share searched, up to the first that finds enough.

    More partitions find no less, so that share is bisected: not all are tried.
    """
    items = len(embeddings) if listed is None else int(listed.sum())
    if items < SMALLEST_SCANN_CATALOGUE:
        if config.index == "auto":
            return {}
        raise ConfigError(
            f"export.index: scann needs at least {SMALLEST_SCANN_CATALOGUE} items, the "
            f"catalogue has {items}; set export.index to exact or auto"
        )
    best = best_rows(exact, queries, K)
    trained = TrainedScann(embeddings, listed)
    wanted = config.scann_leaves_searched
    tried: dict[float, tuple[Index, float]] = {}

    def finds_enough(share: float) -> bool:
        index = ScannIndex(trained, share)
        tried[share] = index, recall(best_rows(index, queries, K), best)
        return tried[share][1] >= config.min_recall

    shares = SHARES_SEARCHED if wanted is None else (wanted,)
    place = bisect.bisect_left(shares, True, key=finds_enough)
    # Larger shares than the first that finds enough are no choice.
    kept = [share for share in shares[: place + 1] if share in tried]
    return {share: tried[share] for share in kept}


def chosen_of(measured: Sequence[Measured], config: ExportConfig) -> Measured:
    """Returns the index to use: by `auto`, the fastest for one query of those allowed.

    Args:
        measured: the exact index first, then ScaNN from the fewest leaves searched.
        config: the section `export`.

    Raises:
        ConfigError: ScaNN is wanted but finds too little.
    """
    exact, *scanns = measured
    good = [scann for scann in scanns if scann.recall >= config.min_recall]
    if config.index == "scann":
        if good:
            return good[0]
        most = max(scanns, key=lambda scann: scann.recall)
        raise ConfigError(
            f"export.index: scann finds {most.recall:.4f} of the exact best {K} with "
            f"{most.leaves_searched:g} of its partitions searched, less than "
            f"export.min_recall {config.min_recall:g}; raise or drop "
            "export.scann_leaves_searched, or set export.index to auto or exact"
        )
    return min([exact, *good], key=lambda one: one.p50_ms[1])


def sample_queries(
    model: RetrievalModel,
    encoded: EncodedDataset,
    moment_s: int,
    count: int = QUERIES,
) -> np.ndarray:
    """Returns embeddings of users drawn at random, float32 `[count, dim]`."""
    log = encoded.dataset.events
    user = np.random.default_rng(0).choice(log.users, count)
    end = tf.constant(log.row_splits[1:][user])
    moment = tf.fill([count], tf.constant(moment_s, tf.int64))
    reader = encoded.reader(model.config.longest_history)
    queries: np.ndarray = model.query_tower(
        reader(tf.constant(user), end, moment, end - 1)
    ).numpy()
    return queries


def recall(found: np.ndarray, best: np.ndarray) -> float:
    """Returns the mean share of the best that was found.

    Args:
        found: int `[queries, n]`.
        best: int `[queries, m]`.
    """
    hits = [np.isin(b, f).mean() for f, b in zip(found, best, strict=True)]
    return float(np.mean(hits))


Search = Callable[[tf.Tensor], tuple[tf.Tensor, tf.Tensor]]


def _traced(index: Index, width: int, count: int) -> Search:
    """Returns the search for `count` items as a graph, as a server runs it."""

    def search(queries: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return index.search(queries, tf.constant(count))

    signature = [tf.TensorSpec([None, width])]
    function = tf.function(search, signature, autograph=False)
    traced: Search = function.get_concrete_function()
    return traced


def best_rows(index: Index, queries: np.ndarray, count: int) -> np.ndarray:
    """Returns the rows that an index finds, `[queries, count]`; -1 for none.

    Args:
        index: that is asked.
        queries: float32 `[queries, dim]`.
        count: items wanted.
    """
    search = _traced(index, queries.shape[1], count)
    rows, scores = search(tf.constant(queries))
    return np.where(np.isfinite(scores), rows, -1)


def median_times(
    indices: Mapping[float | None, Index], queries: np.ndarray, count: int
) -> dict[float | None, dict[int, float]]:
    """Returns each index' median milliseconds a call, by queries a call.

    The indices take turns, so that a busy machine is busy for all of them.

    Args:
        indices: by the share of partitions that they search; None for the exact one.
        queries: float32 `[queries, dim]`, at least as many as the largest batch.
        count: items wanted.
    """
    searches = {
        share: _traced(index, queries.shape[1], count)
        for share, index in indices.items()
    }
    times: dict[float | None, dict[int, list[float]]] = {
        share: {batch: [] for batch in CALLS} for share in searches
    }
    for batch, calls in CALLS.items():
        for number in range(calls + 1):
            start = number * batch % (len(queries) - batch + 1)
            asked = tf.constant(queries[start : start + batch])
            for share, search in searches.items():
                began = time.perf_counter()
                search(asked)
                if number:  # the first call pays for what is made once
                    times[share][batch].append((time.perf_counter() - began) * 1e3)
    return {
        share: {batch: statistics.median(taken) for batch, taken in of_one.items()}
        for share, of_one in times.items()
    }


def _megabytes(index: Index) -> float:
    assert isinstance(index, tf.Module)
    # What ScaNN does not use is an empty string, which has no size of its own.
    values = (np.asarray(variable.numpy()) for variable in index.variables)
    return float(sum(value.nbytes for value in values)) / 1e6
