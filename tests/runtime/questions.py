"""What users of a dataset would ask of each signature, for as many users as wanted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from serving.server.models.signature import Signature
from tfrs_app.contract import signatures as names
from tfrs_app.contract.features import Kind, Role
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.raw_queries import raw_queries

HISTORY = 100
BATCH = 16
K = 20


def questions(
    signature: Signature, dataset: Dataset, users: int, seed: int = 7
) -> Iterator[dict[str, np.ndarray]]:
    """Yields the inputs of requests, without those that are left to their defaults.

    The users are drawn; batches of 1 and of `BATCH` take turns, as do plain requests,
    those with `exclude` and `diversity`, and filtered ones.
    """
    random = np.random.default_rng(seed)
    have_history = np.flatnonzero(np.diff(dataset.events.row_splits))
    drawn = random.choice(have_history, min(users, len(have_history)), replace=False)
    asked = 0
    for number, start in enumerate(_starts(len(drawn))):
        some = drawn[start : start + (1 if number % 2 else BATCH)]
        inputs = _of_users(dataset, some) | _beside(dataset, some, number, random)
        shaped = {
            name: _shaped(inputs[name], len(spec.shape or ()))
            for name, spec in signature.inputs.items()
            if name in inputs
        }
        asked += len(some)
        yield shaped
    assert asked == len(drawn)


def _starts(users: int) -> Iterator[int]:
    start, number = 0, 0
    while start < users:
        yield start
        start += 1 if number % 2 else BATCH
        number += 1


def _of_users(dataset: Dataset, users: np.ndarray) -> dict[str, np.ndarray]:
    ends = dataset.events.row_splits[users + 1]
    moment_s = dataset.events.timestamp[ends - 1] + 1
    return raw_queries(dataset, users, ends, moment_s, HISTORY)


def _beside(
    dataset: Dataset, users: np.ndarray, number: int, random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Returns what a request says beside the user's past, `[batch, n]`."""
    log, ids = dataset.events, dataset.catalogue["item_id"]
    last = log.item[log.row_splits[users + 1, np.newaxis] - 1]
    items = np.concatenate(
        [last, random.integers(0, len(ids), (len(users), 9))], axis=1
    )
    more: dict[str, np.ndarray] = {
        names.ITEM_ID: ids[items],
        names.BASKET: ids[items[:, :3]],
        names.QUERY: _words(dataset, items[:, 0]),
        names.K: np.array(K, np.int32),
    }
    for feature in dataset.spec.of(Role.CANDIDATE):
        values = dataset.catalogue[feature.name][items]
        more[feature.name] = values
        if feature.kind is Kind.CATEGORICAL and number % 3 == 2:
            more[f"allow_{feature.name}"] = values
            break  # one filter a request leaves something to list
    if number % 3 == 1:
        more[names.EXCLUDE] = ids[items]
        more[names.DIVERSITY] = np.full(len(users), 0.5, np.float32)
    return more


def _words(dataset: Dataset, rows: np.ndarray) -> np.ndarray:
    texts = [f.name for f in dataset.spec.of(Role.CANDIDATE, Kind.TEXT)]
    if not texts:
        return np.full((len(rows), 1), b"", object)
    return dataset.catalogue[texts[0]][rows][:, np.newaxis]


def _shaped(values: np.ndarray, rank: int) -> np.ndarray:
    """Takes the first column of what is `[batch, n]` where `[batch]` is wanted."""
    return values[:, 0] if values.ndim == 2 and rank == 1 else values
