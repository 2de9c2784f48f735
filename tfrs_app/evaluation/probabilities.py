"""How good probabilities of candidates are: AUC, log loss, calibration."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

BINS = 10
SMALLEST = 1e-7


def auc(
    score: np.ndarray, label: np.ndarray, weight: np.ndarray | None = None
) -> float:
    """Returns the chance that a positive scores above a negative; ties count half.

    NaN without a positive or without a negative.

    Args:
        score: float `[n]`.
        label: bool `[n]`.
        weight: float `[n]`, how many each negative stands for; None: one.
    """
    positives, negatives = int(label.sum()), int((~label).sum())
    if not positives or not negatives:
        return float("nan")
    if weight is None:
        ranks = rankdata(score)
        above = ranks[label].sum() - positives * (positives + 1) / 2
        return float(above / (positives * negatives))
    order = np.argsort(score[~label], kind="stable")
    ordered = score[~label][order]
    mass = np.concatenate([[0.0], np.cumsum(weight[~label][order], dtype=float)])
    under = mass[np.searchsorted(ordered, score[label], side="left")]
    level = mass[np.searchsorted(ordered, score[label], side="right")]
    own = weight[label]
    return float(((under + level) / 2 * own).sum() / (mass[-1] * own.sum()))


def log_loss(p: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """Returns the weighted mean cross-entropy in nats."""
    p = np.clip(p, SMALLEST, 1 - SMALLEST)
    each = -np.where(label, np.log(p), np.log1p(-p))
    return float(np.average(each, weights=weight))


def reliability(
    p: np.ndarray, label: np.ndarray, weight: np.ndarray, bins: int = BINS
) -> list[tuple[float, float, float]]:
    """Returns mean probability, share of positives and weight of equally heavy bins."""
    order = np.argsort(p, kind="stable")
    mass = np.cumsum(weight[order], dtype=float)
    inner = np.linspace(0, mass[-1], bins + 1)[1:-1]
    bounds = np.searchsorted(mass, inner, side="right")
    # Equal probabilities share a bin, or the order of the rows would matter.
    bounds = np.searchsorted(p[order], p[order][bounds])
    rows = []
    for part in np.split(order, bounds):
        total = weight[part].sum()
        if total > 0:
            rows.append(
                (
                    float(np.average(p[part], weights=weight[part])),
                    float(np.average(label[part], weights=weight[part])),
                    float(total),
                )
            )
    return rows


def calibration_error(p: np.ndarray, label: np.ndarray, weight: np.ndarray) -> float:
    """Returns the mean distance of the reliability curve from the diagonal (ECE)."""
    rows = np.array(reliability(p, label, weight))
    return float(np.average(np.abs(rows[:, 0] - rows[:, 1]), weights=rows[:, 2]))


def group_auc(score: np.ndarray, label: np.ndarray, real: np.ndarray) -> float:
    """Returns the AUC within a list, averaged by its candidates (GAUC).

    Lists without a positive or a negative are left out.

    Args:
        score: float `[lists, n]`.
        label: bool `[lists, n]`.
        real: bool `[lists, n]`, False for padding.
    """
    each = [
        (auc(s[r], y[r]), r.sum()) for s, y, r in zip(score, label, real, strict=True)
    ]
    told = np.array([pair for pair in each if not np.isnan(pair[0])])
    return (
        float(np.average(told[:, 0], weights=told[:, 1])) if len(told) else float("nan")
    )


def list_ndcg(
    score: np.ndarray, label: np.ndarray, real: np.ndarray, wanted: np.ndarray, k: int
) -> np.ndarray:
    """Returns the NDCG of each list against all that was wanted, `[lists]`.

    Args:
        score: float `[lists, n]`.
        label: bool `[lists, n]`.
        real: bool `[lists, n]`, False for padding.
        wanted: int `[lists]`, above 0; what was not proposed counts as missed.
        k: cut-off.
    """
    order = np.argsort(-np.where(real, score, -np.inf), axis=1, kind="stable")[:, :k]
    hits = np.take_along_axis(label & real, order, axis=1)
    discount = 1 / np.log2(np.arange(2, k + 2))
    ideal = np.concatenate([[0.0], np.cumsum(discount)])[np.minimum(wanted, k)]
    ndcg: np.ndarray = (hits * discount[: hits.shape[1]]).sum(axis=1) / ideal
    return ndcg


def list_metrics(
    *,
    score: np.ndarray,
    probability: np.ndarray,
    label: np.ndarray,
    weight: np.ndarray,
    wanted: np.ndarray,
    k: int,
) -> dict[str, float]:
    """Returns what is reported of ranked lists.

    Args:
        score: that orders them, float `[lists, n]`.
        probability: of the label, `[lists, n]`.
        label: bool `[lists, n]`.
        weight: float `[lists, n]`, how many candidates each stands for; 0: padding.
        wanted: int `[lists]`, items to find, proposed or not.
        k: cut-off of the NDCG.
    """
    real = weight > 0
    p, happened, mass = probability[real], label[real], weight[real]
    some = wanted > 0
    ndcg = list_ndcg(score[some], label[some], real[some], wanted[some], k)
    return {
        f"ndcg@{k}": float(ndcg.mean()) if len(ndcg) else 0.0,
        "auc": auc(p, happened, mass),
        "gauc": group_auc(score, label, real),
        "log_loss": log_loss(p, happened, mass),
        "ece": calibration_error(p, happened, mass),
    }
