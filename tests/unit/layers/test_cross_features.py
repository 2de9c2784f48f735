import math

import numpy as np
import pytest
import tensorflow as tf

from tfrs_app.layers.cross_features import (
    BASKET_HALF_LIVES,
    NEVER_DAYS,
    CrossFeatures,
)
from tfrs_app.layers.history import Histories

NAN = math.nan
TYPE_WEIGHTS = [0.0, 0.25, 0.25, 1.0, 0.5]
HALF_LIVES = [math.inf, 3.0]
# By item index: 0 padding, 1 unknown. Tokens too: items may lack a brand or have one
# that is unknown, which is like no other.
BRAND = [0, 1, 2, 2, 3, 1, 0, 3, 2]
NUMBERS = {
    "price": [NAN, NAN, 4.0, 6.0, NAN, 1.0, 2.0, 90.0, 3.0],
    "size": [7.0, 7.0, 1.0, NAN, NAN, 1.0, 1.0, 1.0, 2.0],
}
ITEMS = len(BRAND)


def layer():
    brand = {"brand": np.array(BRAND)}
    numbers = {name: np.array(column) for name, column in NUMBERS.items()}
    return CrossFeatures(TYPE_WEIGHTS, HALF_LIVES, brand, numbers)


def columns(items, types, ages, candidates):
    """Each column by its name, `[batch, candidates]`."""
    made = layer()
    histories = Histories(
        tf.zeros([*np.shape(items), 1]),
        tf.constant(items, tf.int32, np.shape(items)),
        tf.constant(types, tf.int32, np.shape(items)),
        tf.constant(ages, tf.float32, np.shape(items)),
    )
    answer = made(histories, tf.constant(candidates, tf.int32)).numpy()
    return dict(zip(made.names, np.moveaxis(answer, -1, 0), strict=True))


def weighted(events, half_life):
    return sum(TYPE_WEIGHTS[t] * 0.5 ** (max(a, 0) / half_life) for _, t, a in events)


def off(events, number, candidate):
    past = [(TYPE_WEIGHTS[t], number[item]) for item, t, _ in events]
    past = [(w, n) for w, n in past if not math.isnan(n)]
    total = sum(w for w, _ in past)
    if total == 0 or math.isnan(number[candidate]):
        return 0.0
    mean = sum(w * n for w, n in past) / total
    deviation = math.sqrt(sum(w * (n - mean) ** 2 for w, n in past) / total)
    if deviation == 0:
        return 0.0
    return min(max((number[candidate] - mean) / deviation, -5.0), 5.0)


def expected(events, candidate):
    """The columns from their definitions; events (item, type, age), oldest first."""
    own = [e for e in events if e[0] == candidate and candidate > 1]
    kin = [e for e in events if BRAND[e[0]] == BRAND[candidate] > 1]
    moments = sorted({age for _, _, age in events})  # the latest first

    def ago(event):
        return moments.index(event[2])

    row = {}
    for i, days in enumerate(HALF_LIVES):
        row[f"had_{i}"] = math.log1p(weighted(own, days))
        total = weighted(events, days)
        row[f"share_brand_{i}"] = weighted(kin, days) / total if total else 0.0
        row[f"events_{i}"] = math.log1p(total)
    for i, baskets in enumerate(BASKET_HALF_LIVES):
        total = sum(0.5 ** (n / baskets) for n in range(len(moments)))
        held = sum(0.5 ** (ago(e) / baskets) for e in own)
        row[f"in_baskets_{i}"] = held / total if total else 0.0
    days = [max(age, 0.0) for _, _, age in own]
    gap = (days[0] - days[-1]) / (len(own) - 1) if len(own) > 1 else NEVER_DAYS
    row["had"] = 1.0 if own else 0.0
    row["days_since_last"] = math.log1p(days[-1] if own else NEVER_DAYS)
    row["days_since_first"] = math.log1p(days[0] if own else NEVER_DAYS)
    row["usual_gap_days"] = math.log1p(gap)
    row["baskets_since_last"] = math.log1p(ago(own[-1]) if own else NEVER_DAYS)
    row["basket_rate"] = len(own) / (ago(own[0]) + 1) if own else 0.0
    for name, number in NUMBERS.items():
        row[f"off_{name}"] = off(events, number, candidate)
    items = {item for item, _, _ in events}
    row["distinct"] = len(items) / len(events) if events else 0.0
    return row


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("batch", "length"), [(1, 1), (1, 12), (9, 12), (2, 0)])
def test_every_column_is_its_definition(seed, batch, length):
    random = np.random.default_rng(seed)
    items = random.integers(1, ITEMS, (batch, length))
    items[np.arange(length) < random.integers(0, length + 1, (batch, 1))] = 0
    types = random.integers(0, 5, (batch, length))
    # Few moments, so that baskets hold several events; some in the future.
    ages = np.sort(random.integers(-2, 9, (batch, length)) / 2.0)[:, ::-1]
    candidates = np.stack([random.permutation(ITEMS) for _ in range(batch)])
    found = columns(items, types, ages, candidates)
    for row, column in np.ndindex(candidates.shape):
        events = zip(items[row].tolist(), types[row], ages[row].tolist(), strict=True)
        events = [event for event in events if event[0]]
        wanted = expected(events, candidates[row, column])
        assert found.keys() == wanted.keys()
        for name, value in wanted.items():
            assert found[name][row, column] == pytest.approx(value, abs=2e-5), name


@pytest.mark.parametrize("half_lives", [[math.inf], [1.0, 2.0, 30.0]])
@pytest.mark.parametrize("features", [[], ["a"], ["a", "b"]])
def test_each_column_has_a_name_of_its_own(half_lives, features):
    codes = {name: np.zeros(3, int) for name in features}
    numbers = {name: np.zeros(3) for name in features}
    made = CrossFeatures([0.0, 1.0], half_lives, codes, numbers)
    zeros = tf.zeros([2, 4], tf.int32)
    histories = Histories(tf.zeros([2, 4, 1]), zeros, zeros, tf.zeros([2, 4]))
    assert made(histories, zeros[:, :3]).shape == (2, 3, len(made.names))
    assert len(set(made.names)) == len(made.names)


def test_padding_changes_nothing():
    bare = columns([[2, 5, 2]], [[2, 3, 4]], [[9.0, 4.0, 4.0]], [[2, 3, 5, 7]])
    padded = columns(
        [[0, 0, 2, 5, 2]],
        [[3, 3, 2, 3, 4]],
        [[9.0, 9.0, 9.0, 4.0, 4.0]],
        [[2, 3, 5, 7]],
    )
    for name, column in bare.items():
        np.testing.assert_allclose(padded[name], column, rtol=1e-6, err_msg=name)


@pytest.mark.parametrize("price", [0.1, 9.99, 1234.56])
def test_prices_that_are_all_one_have_no_deviation_however_they_round(price):
    made = CrossFeatures(TYPE_WEIGHTS, [1.0], {}, {"price": np.array([0, 0, price, 2])})
    random = np.random.default_rng(0)
    items, types = np.full((50, 11), 2), random.integers(1, 5, (50, 11))
    events = [tf.constant(x, tf.int32) for x in (items, types)]
    histories = Histories(tf.zeros([50, 11, 1]), *events, tf.zeros([50, 11]))
    answer = made(histories, tf.constant([[2, 3]] * 50)).numpy()
    assert not answer[..., made.names.index("off_price")].any()
