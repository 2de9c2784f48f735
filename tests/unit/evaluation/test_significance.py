import numpy as np
import pytest

from tfrs_app.evaluation.significance import (
    RESAMPLES_A_STEP,
    Outcome,
    difference_of,
    interval_of,
    resampled_means,
)

RNG = np.random.default_rng(7)
VALUES = RNG.random(400)


def compared(one, other, resamples=1000):
    drawn = resampled_means({"one": one, "other": other}, resamples, seed=1)
    return difference_of(one.mean(), other.mean(), drawn["one"], drawn["other"])


def test_the_interval_is_that_of_the_normal_theory():
    """With 400 users the mean is normal enough: 1.96 standard errors to each side."""
    drawn = resampled_means({"m": VALUES}, 4000, seed=3)["m"]
    interval = interval_of(drawn)
    error = 1.96 * VALUES.std() / 20
    assert interval.low == pytest.approx(VALUES.mean() - error, abs=0.1 * error)
    assert interval.high == pytest.approx(VALUES.mean() + error, abs=0.1 * error)


def test_the_interval_covers_the_truth_as_often_as_it_says():
    """200 samples of a coin of .5: 95 % of the intervals hold .5, give or take 3."""
    rng = np.random.default_rng(5)
    covered = 0
    for number in range(200):
        sample = (rng.random(300) < 0.5).astype(float)
        interval = interval_of(resampled_means({"m": sample}, 300, number)["m"])
        covered += interval.low <= 0.5 <= interval.high
    assert 180 <= covered <= 199


def test_identical_lists_do_not_differ():
    difference = compared(VALUES, VALUES.copy())
    assert difference.value == 0
    assert (difference.interval.low, difference.interval.high) == (0, 0)
    assert difference.relative_interval.high == 0
    assert difference.outcome is Outcome.TIES


def test_a_bit_better_for_every_user_is_clearly_better():
    """Unpaired, the noise between users would hide it."""
    difference = compared(VALUES + 0.01, VALUES)
    assert difference.outcome is Outcome.BEATS
    assert difference.interval.low == pytest.approx(0.01)
    assert difference.interval.high == pytest.approx(0.01)
    assert difference.relative == pytest.approx(0.01 / VALUES.mean())
    assert compared(VALUES - 0.01, VALUES).outcome is Outcome.LOSES


def test_noise_around_nothing_is_no_difference():
    noise = RNG.normal(size=400)
    assert compared(VALUES + noise - noise.mean(), VALUES).outcome is Outcome.TIES


def test_a_rival_without_any_hit_has_no_relative_difference():
    difference = compared(VALUES, np.zeros(400))
    assert difference.relative is None
    assert difference.relative_interval is None
    assert difference.outcome is Outcome.BEATS


def test_the_seed_decides_and_the_number_is_kept():
    count = RESAMPLES_A_STEP * 2 + 7
    one = resampled_means({"m": VALUES}, count, seed=1)["m"]
    assert one.shape == (count,)
    assert (one == resampled_means({"m": VALUES}, count, seed=1)["m"]).all()
    assert (one != resampled_means({"m": VALUES}, count, seed=2)["m"]).any()
    assert len(np.unique(one)) > count // 2


def test_one_user_is_always_drawn():
    drawn = resampled_means({"m": np.array([0.3])}, 100, seed=1)["m"]
    np.testing.assert_allclose(drawn, 0.3)
