import itertools
import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.evaluation.lists import (
    coverage,
    diversity,
    exposure_by_popularity,
    exposure_of,
    gini,
    novelty,
    popularity_bins,
)

COUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=8)
LISTS = np.array([[0, 2, 1], [2, 3, -1], [2, -1, -1]])


def test_exposure_counts_lists_and_no_fillers():
    assert exposure_of(LISTS, 5).tolist() == [1, 1, 3, 1, 0]
    assert coverage(exposure_of(LISTS, 5)) == pytest.approx(4 / 5)


@given(COUNTS)
def test_gini_is_half_the_relative_mean_absolute_difference(counts):
    pairs = itertools.product(counts, counts)
    differences = sum(abs(a - b) for a, b in pairs)
    total = sum(counts)
    expected = differences / (2 * len(counts) * total) if total else 0.0
    assert gini(np.array(counts)) == pytest.approx(expected)


def test_novelty_is_the_surprise_of_the_listed():
    had = np.array([3, 0, 7, 1, 5])  # of 7 users
    listed = [0, 2, 1, 2, 3, 2]
    surprise = [-math.log2((had[item] + 1) / 8) for item in listed]
    assert novelty(LISTS, had, 7) == pytest.approx(sum(surprise) / 6)
    assert novelty(np.full((2, 3), -1), had, 7) == 0.0


def test_diversity_is_one_minus_the_mean_cosine_of_pairs():
    vectors = np.array([[1, 0], [0.6, 0.8], [0, 1], [0, 0]], np.float32)
    lists = np.array([[0, 1, 2], [1, 3, -1], [2, -1, -1]])
    first = ((vectors[0] @ vectors[1]) + (vectors[1] @ vectors[2]) + 0.0) / 3
    expected = ((1 - first) + (1 - 0.0)) / 2  # a list of one item has no pair
    assert diversity(lists, sp.csr_matrix(vectors)) == pytest.approx(expected)
    assert diversity(lists[2:], sp.csr_matrix(vectors)) == 0.0


def test_bins_hold_equal_shares_of_the_pairs():
    # 20 pairs: item 1 has the first half of them, items 0, 3 a quarter each.
    had = np.array([5, 10, 0, 5])
    assert popularity_bins(had).tolist() == [5, 0, 9, 7]
    shares = exposure_by_popularity(np.array([1, 2, 1, 0]), popularity_bins(had))
    assert shares == [0.5, 0, 0, 0, 0, 0.25, 0, 0, 0, 0.25]


@given(COUNTS)
def test_a_more_popular_item_is_in_no_later_bin(had):
    bins = popularity_bins(np.array(had)).tolist()
    for (a, bin_a), (b, bin_b) in itertools.product(
        zip(had, bins, strict=True), repeat=2
    ):
        if a > b:
            assert bin_a <= bin_b
    assert set(bins) <= set(range(10))
