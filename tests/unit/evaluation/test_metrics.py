import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.evaluation.metrics import hits_of, mean_of, user_metrics


def plain_recall(listed, targets, k):
    return len(set(listed[:k]) & set(targets)) / len(targets)


def plain_ndcg(listed, targets, k):
    gain = sum(1 / math.log2(n + 2) for n, i in enumerate(listed[:k]) if i in targets)
    ideal = sum(1 / math.log2(n + 2) for n in range(min(k, len(targets))))
    return gain / ideal


def plain_map(listed, targets, k):
    total = 0.0
    for n, item in enumerate(listed[:k]):
        if item in targets:
            total += len(set(listed[: n + 1]) & targets) / (n + 1)
    return total / min(k, len(targets))


def plain_mrr(listed, targets):
    for n, item in enumerate(listed):
        if item in targets:
            return 1 / (n + 1)
    return 0.0


def measured(lists, targets, ks):
    width = max(map(len, lists))
    padded = np.array([[*row, *[-1] * (width - len(row))] for row in lists])
    splits = np.concatenate([[0], np.cumsum([len(t) for t in targets])])
    items = np.array([item for row in targets for item in sorted(row)])
    hits = hits_of(padded, splits, items)
    return mean_of(user_metrics(hits, np.diff(splits), ks))


def test_known_values():
    # Hits at rank 1 and 3 of three targets; the second user has no hit.
    found = measured([[7, 1, 8], [4, 5, 6]], [{7, 8, 9}, {1}], (1, 3))
    first = (1 + 1 / 2) / (1 + 1 / math.log2(3) + 1 / 2)
    assert found == {
        "recall@1": pytest.approx((1 / 3 + 0) / 2),
        "recall@3": pytest.approx((2 / 3 + 0) / 2),
        "ndcg@1": pytest.approx(0.5),
        "ndcg@3": pytest.approx(first / 2),
        "map@1": pytest.approx(0.5),
        "map@3": pytest.approx((1 + 2 / 3) / 3 / 2),
        "hit_rate@1": 0.5,
        "hit_rate@3": 0.5,
        "mrr": 0.5,
    }


def test_recall_divides_by_the_number_of_targets_even_beyond_k():
    assert measured([[0]], [{0, 1, 2, 3}], (1,))["recall@1"] == 0.25


def test_a_perfect_list_has_ndcg_one():
    assert measured([[3, 1]], [{1, 3}], (2,))["ndcg@2"] == pytest.approx(1)
    assert measured([[3]], [{1, 3}], (1,))["ndcg@1"] == pytest.approx(1)


def test_a_short_list_has_no_hits_behind_its_end():
    # The key of user 1's -1 would equal that of user 0's largest item.
    found = measured([[9, 5, 4], [9]], [{9}, {2}], (3,))
    assert found["recall@3"] == 0.5


def test_a_k_beyond_the_list():
    assert measured([[5, 1]], [{1, 2}], (10,))["ndcg@10"] == pytest.approx(
        plain_ndcg([5, 1], {1, 2}, 10)
    )


def test_nobody_scores_zero():
    hits = np.zeros((0, 5), bool)
    found = mean_of(user_metrics(hits, np.zeros(0, int), (5,)))
    assert found == dict.fromkeys(
        ["recall@5", "ndcg@5", "map@5", "hit_rate@5", "mrr"], 0.0
    )


USER = st.tuples(
    st.lists(st.integers(0, 12), unique=True, max_size=8),
    st.sets(st.integers(0, 12), min_size=1, max_size=6),
)


@given(st.lists(USER, min_size=1, max_size=5), st.integers(1, 10))
def test_metrics_are_the_means_of_the_definitions(users, k):
    lists, targets = zip(*users, strict=True)
    if not any(lists):
        return
    found = measured(lists, targets, (k,))
    recalls = [plain_recall(*user, k) for user in users]
    ndcgs = [plain_ndcg(*user, k) for user in users]
    assert found[f"recall@{k}"] == pytest.approx(sum(recalls) / len(users))
    assert found[f"ndcg@{k}"] == pytest.approx(sum(ndcgs) / len(users))
    maps = [plain_map(*user, k) for user in users]
    hits = [bool(set(row[:k]) & wanted) for row, wanted in users]
    assert found[f"map@{k}"] == pytest.approx(sum(maps) / len(users))
    assert found[f"hit_rate@{k}"] == pytest.approx(sum(hits) / len(users))
    ranks = [plain_mrr(*user) for user in users]
    assert found["mrr"] == pytest.approx(sum(ranks) / len(users))
