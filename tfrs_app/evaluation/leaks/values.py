"""Raw feature values as tokens, and as numbers that predict something."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BUCKETS = 32
FOLDS = 5
SHRINKAGE = 10.0
"""Rows of no effect that are added to each token's, so that rare ones say little."""


@dataclass(frozen=True)
class Tokens:
    """Holds the tokens of n rows: pairs of row and token number.

    Args:
        row: int64 `[pairs]`.
        token: int64 `[pairs]`.
        rows: n.
        size: how many tokens there are.
    """

    row: np.ndarray
    token: np.ndarray
    rows: int
    size: int


def is_number(values: np.ndarray) -> bool:
    """Tells whether raw values are numbers; else they are bytes objects."""
    return values.dtype.kind in "fiu"


def codes_of(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Returns the number of each value's class and how many there are.

    Numbers with many values are put in equally filled buckets; NaN is a class.
    """
    if is_number(values):
        values = _bucketed(values.astype(np.float64))
    distinct, code = np.unique(values, return_inverse=True)
    return code, len(distinct)


def single_tokens(values: np.ndarray) -> Tokens:
    """Returns one token a row: its class."""
    code, size = codes_of(values)
    return Tokens(np.arange(len(values)), code, len(values), size)


def word_tokens(texts: np.ndarray) -> Tokens:
    """Returns the distinct words of each text, bytes objects `[n]`."""
    number: dict[bytes, int] = {}
    row, token = [], []
    for position, text in enumerate(texts):
        for word in set(text.lower().split()):
            row.append(position)
            token.append(number.setdefault(word, len(number)))
    pairs = np.array(row, np.int64), np.array(token, np.int64)
    return Tokens(*pairs, len(texts), len(number))


def cross_fitted(tokens: Tokens, outcome: np.ndarray) -> np.ndarray:
    """Returns what a row's tokens foretell of its outcome, float64 `[n]`.

    Each token stands for the mean outcome of the rows that have it, but for those of
    the row's own fold, so that no row foretells itself.
    """
    fold = np.random.default_rng(0).integers(FOLDS, size=tokens.rows)
    cell = tokens.token * FOLDS + fold[tokens.row]
    cells = tokens.size * FOLDS
    sums = np.bincount(cell, outcome[tokens.row], cells).reshape(-1, FOLDS)
    count = np.bincount(cell, minlength=cells).reshape(-1, FOLDS)
    others = sums.sum(axis=1, keepdims=True) - sums
    rows = count.sum(axis=1, keepdims=True) - count
    mean = (others / (rows + SHRINKAGE)).ravel()[cell]
    held = np.bincount(tokens.row, minlength=tokens.rows)
    return np.bincount(tokens.row, mean, tokens.rows) / np.maximum(held, 1)


def _bucketed(values: np.ndarray) -> np.ndarray:
    known = values[~np.isnan(values)]
    distinct = np.unique(known)
    if len(distinct) > BUCKETS:
        cuts = np.quantile(known, np.linspace(0, 1, BUCKETS + 1)[1:-1])
        bucket = np.searchsorted(cuts, values, "right").astype(np.float64)
        values = np.where(np.isnan(values), -1.0, bucket)
    return np.where(np.isnan(values), np.inf, values)
