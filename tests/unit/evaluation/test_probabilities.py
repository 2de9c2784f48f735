import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.evaluation import probabilities
from tfrs_app.evaluation.probabilities import auc, calibration_error, reliability

ROW = st.tuples(st.integers(0, 4), st.booleans(), st.integers(1, 3))
ROWS = st.lists(ROW, min_size=1, max_size=12)
"""(score, label, weight); few scores, so that ties are frequent."""
PROBABLE = ROWS.map(lambda rows: [(score / 4, label, w) for score, label, w in rows])


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


def plain_auc(rows):
    won = total = 0.0
    for score, positive, weight in rows:
        for other, label, more in rows:
            if positive and not label:
                total += weight * more
                won += weight * more * (1.0 if score > other else (score == other) / 2)
    return won / total if total else math.nan


@given(ROWS)
def test_auc_is_the_share_of_pairs_in_order(rows):
    score, label, weight = columns(rows)
    plain = plain_auc([(s, y, 1) for s, y, _ in rows])
    assert auc(score, label) == pytest.approx(plain, nan_ok=True)
    assert auc(score, label, weight) == pytest.approx(plain_auc(rows), nan_ok=True)


def test_known_aucs():
    label = np.array([True, False, True, False])
    assert [auc(np.array(s), label) for s in ([4, 1, 3, 2], [1, 4, 2, 3])] == [1, 0]
    assert auc(np.zeros(4), label) == auc(np.zeros(4), label, np.ones(4)) == 0.5


def test_many_light_rows_add_up_in_single_precision():
    weight = np.array([1, 2**24, *[1] * 1000], np.float32)
    label, score = np.arange(1002) == 0, np.array([0, -1, *[1] * 1000])
    assert auc(score, label, weight) == pytest.approx(2**24 / (2**24 + 1000), abs=1e-9)


@given(PROBABLE)
def test_log_loss_is_the_mean_cross_entropy(rows):
    total = mass = 0.0
    for p, label, weight in rows:
        p, mass = min(max(p, 1e-7), 1 - 1e-7), mass + weight
        total -= weight * math.log(p if label else 1 - p)
    assert probabilities.log_loss(*columns(rows)) == pytest.approx(total / mass)


def test_ten_bins_are_equally_heavy():
    p = np.arange(40)[::-1] / 40
    rows = reliability(p, p > 0.6, np.full(40, 2.0))
    assert [row[2] for row in rows] == [8.0] * 10
    for n, (mean, share, _) in enumerate(rows):
        assert mean == pytest.approx((4 * n + 1.5) / 40)
        assert share == sum(4 * n + more > 24 for more in range(4)) / 4


@given(PROBABLE, st.randoms(), st.integers(1, 5))
def test_bins_hold_everything_whatever_its_order(rows, random, bins):
    found = reliability(*columns(rows), bins)
    assert len(found) <= bins
    assert [row[0] for row in found] == sorted({row[0] for row in found})
    for place in (0, 1):
        total = sum(row[place] * row[2] for row in rows)
        assert sum(row[place] * row[2] for row in found) == pytest.approx(total)
    assert sum(row[2] for row in found) == sum(row[2] for row in rows)
    shuffled = random.sample(rows, len(rows))
    np.testing.assert_allclose(found, reliability(*columns(shuffled), bins))


# Of each probability as many positives as it promises; once by count, once by weight.
COUNTED = [(n / 10, one < n, 1.0) for n in range(1, 10) for one in range(10)]
WEIGHTED = [(n / 10, y, n if y else 10.0 - n) for n in range(1, 10) for y in (1, 0)]


@pytest.mark.parametrize("rows", [COUNTED, WEIGHTED])
def test_probabilities_that_come_true_have_no_calibration_error(rows):
    p, label, weight = columns(rows)
    assert calibration_error(p, label, weight) == pytest.approx(0, abs=1e-12)
    assert calibration_error(p + 0.05, label, weight) == pytest.approx(0.05)
    assert calibration_error(p - 0.1, label, weight) == pytest.approx(0.1)


CANDIDATE = st.tuples(st.integers(0, 3), st.booleans(), st.booleans())
FIVE = st.lists(CANDIDATE, min_size=5, max_size=5)
LISTS = st.lists(FIVE.map(lambda rows: list(zip(*rows, strict=True))), min_size=1)
"""(scores, labels, real) of lists of five."""


@given(LISTS)
def test_group_auc_is_the_mean_over_the_candidates_of_lists_with_both(lists):
    total = candidates = 0.0
    for scores, labels, real in lists:
        kept = [(scores[n], labels[n], 1) for n in range(5) if real[n]]
        if len({label for _, label, _ in kept}) == 2:
            total += plain_auc(kept) * len(kept)
            candidates += len(kept)
    expected = total / candidates if candidates else math.nan
    assert probabilities.group_auc(*columns(lists)) == pytest.approx(
        expected, nan_ok=True
    )


@given(LISTS, st.integers(1, 8), st.integers(0, 4))
def test_list_ndcg_divides_by_what_a_perfect_list_would_gain(lists, k, missed):
    expected, wanted = [], []
    for scores, labels, real in lists:
        best = sorted((n for n in range(5) if real[n]), key=lambda n: (-scores[n], n))
        gain = sum(labels[n] / math.log2(m + 2) for m, n in enumerate(best[:k]))
        wanted.append(max(1, sum(labels[n] for n in best) + missed))
        most = min(k, wanted[-1])
        expected.append(gain / sum(1 / math.log2(n + 2) for n in range(most)))
    found = probabilities.list_ndcg(*columns(lists), np.array(wanted), k)
    assert found.tolist() == pytest.approx(expected)


def metrics(padding, wanted):
    p = np.array([[0.9, 0.2, 0.4], [0.3, 0.6, padding]])
    label = np.array([[1, 0, 1], [1, 0, 0]], bool)
    weight = np.array([[1, 1, 2], [1, 5, 0]], np.float32)
    return probabilities.list_metrics(
        score=2 * p, probability=p, label=label, weight=weight, wanted=wanted, k=2
    )


def test_list_metrics_see_no_padding():
    found = metrics(0.5, np.array([2, 1]))
    assert list(found) == ["ndcg@2", "auc", "gauc", "log_loss", "ece"]
    assert found == metrics(0.99, np.array([2, 1]))
    assert found["ndcg@2"] == pytest.approx((1 + 1 / math.log2(3)) / 2)
    assert found["auc"] == pytest.approx((1 * 6 + 2 * 1 + 1 * 1) / (4 * 6))
    assert found["gauc"] == pytest.approx((3 * 1 + 2 * 0) / 5)


def test_lists_from_which_nothing_was_wanted_have_no_ndcg():
    both = metrics(0.5, np.array([2, 1]))
    assert metrics(0.5, np.array([2, 0])) == {**both, "ndcg@2": 1.0}
    assert metrics(0.5, np.array([0, 0])) == {**both, "ndcg@2": 0.0}
