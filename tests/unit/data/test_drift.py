import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.data.qualities import numbers, quality, tokens
from tfrs_app.data.drift import cuts, distance, drifts, psi, rebinned

COUNTS = st.lists(st.integers(0, 1000), min_size=2, max_size=9)


def test_the_index_of_two_halves_and_three_quarters():
    # 50.5/101 and 75.5/101: (q - p) ln(q / p) of both bins, by hand.
    assert psi([50, 50], [75, 25]) == pytest.approx(0.268677, abs=1e-6)


def test_the_index_of_large_counts_is_the_textbooks():
    expected = 0.25 * math.log(1.5) + 0.25 * math.log(2)
    found = psi([500_000_000, 500_000_000], [750_000_000, 250_000_000])
    assert found == pytest.approx(expected, abs=1e-6)


def test_an_empty_bin_is_no_infinity():
    # Half a row of eleven against ten and a half: 2 * (10 / 11) * ln(21).
    assert psi([10, 0], [0, 10]) == pytest.approx(2 * 10 / 11 * math.log(21))


@given(COUNTS.flatmap(lambda a: st.tuples(st.just(a), st.permutations(a))))
def test_it_is_symmetric_and_zero_only_for_equals(pair):
    earlier, later = pair
    assert psi(earlier, later) == pytest.approx(psi(later, earlier))
    assert psi(earlier, earlier) == 0
    assert (psi(earlier, later) > 0) == (earlier != later)


def test_unseen_tokens_are_others():
    found = distance(tokens(a=60, b=40), tokens(a=60, c=40))
    # Bins: a, b, others, missing.
    assert found == pytest.approx(psi([60, 40, 0, 0], [60, 0, 40, 0]))


def test_missing_values_drift_too():
    found = distance(tokens(a=100), tokens(a=50, nulls=50))
    assert found == pytest.approx(psi([100, 0, 0], [50, 0, 50]))


def test_a_token_that_is_no_longer_listed_is_not_taken_as_gone():
    # b may have up to 30 of the 40 others; 20 would be as many as before.
    found = distance(tokens(a=80, b=20), tokens(a=30, c=30, other=40))
    assert found == pytest.approx(psi([80, 20, 0, 0], [30, 20, 50, 0]))
    # It had 70 before: more than the rarest listed token it can't have.
    found = distance(tokens(a=30, b=70), tokens(a=30, c=30, other=40))
    assert found == pytest.approx(psi([30, 70, 0, 0], [30, 30, 40, 0]))


def test_the_earlier_numbers_cut_the_later_ones():
    earlier = numbers({1: 40, 2: 30, 3: 30})
    assert cuts(earlier) == [2, 3]
    later = numbers({0: 10, 2: 10, 2.5: 20, 9: 60}, nulls=5)
    assert rebinned(later, [2, 3]).tolist() == [10, 30, 60]
    found = distance(earlier, later)
    assert found == pytest.approx(psi([40, 30, 30, 0], [10, 30, 60, 5]))


def test_a_tail_behind_a_frequent_value_is_told_apart():
    assert cuts(numbers({0: 95, 1: 5})) == [1]


def test_bins_of_evenly_spread_numbers_hold_a_tenth():
    assert cuts(numbers(dict.fromkeys(range(100), 1))) == list(range(10, 100, 10))


def test_a_bin_that_an_edge_cuts_is_spread_evenly():
    spread = numbers({0: 100})
    spread = spread.model_copy(update={"high": [10.0]})
    assert rebinned(spread, [2.5]).tolist() == [25, 75]


def test_numbers_and_texts_have_no_distance():
    assert distance(tokens(a=1), numbers({1: 1})) is None


def test_equal_datasets_have_not_moved():
    found = drifts(quality(), quality())
    assert {part.psi for part in found} == {0.0}
    assert {part.name for part in found if part.gated} == {
        "color", "size", "events.price", "event_type",
    }  # fmt: skip
    assert {part.name for part in found if not part.gated} == {
        "hour of the week", "item popularity", "events a user",
    }  # fmt: skip


def test_the_greatest_drift_comes_first():
    moved = quality(labels={"view": 0, "purchase": 100})
    first = drifts(quality(), moved)[0]
    assert first.name == "event_type"
    assert first.psi == pytest.approx(psi([40, 60], [100, 0]))


def test_drift_needs_no_tensorflow():
    light = "import sys, tfrs_app.data.drift; assert 'tensorflow' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", light], check=False)
    assert done.returncode == 0
