import numpy as np
import pytest

from tests.unit.data.logs import log_of
from tfrs_app.contract.retrieval_config import FactorsConfig
from tfrs_app.layers.factors import FactorTables, item_factors

DAY = 86400
ITEMS = 5
# Users 3 to 5 bought what users 0 to 2 bought: the matrix has rank 3.
BASKETS = [[0, 1], [1, 2, 3], [0, 4], [0, 1], [1, 2, 3], [0, 4]]
LOG = log_of([[(DAY, item, 1) for item in basket] for basket in BASKETS])
CONFIG = FactorsConfig(dim=3, half_life_days=1e9, regularization=2.0)


def test_they_are_the_ridge_regression_of_every_item_on_all_others():
    bought = np.zeros((6, ITEMS))
    for user, basket in enumerate(BASKETS):
        bought[user, basket] = 1.0
    inverse = np.linalg.inv(bought.T @ bought + 2.0 * np.eye(ITEMS))
    weights = -inverse / np.diag(inverse)
    history, candidate = item_factors(LOG, ITEMS, CONFIG, 2 * DAY)
    product = history.astype(float) @ candidate.T
    others = ~np.eye(ITEMS, dtype=bool)
    scale = product[others].std() / weights[others].std()
    np.testing.assert_allclose(product[others], scale * weights[others], atol=1e-4)
    # The scale: scores of mean histories have standard deviation 1.
    means = bought / bought.sum(axis=1, keepdims=True)
    assert np.std(means @ product) == pytest.approx(1.0, rel=1e-4)


def test_later_events_do_not_count():
    later = log_of([[(DAY, i, 1) for i in b] + [(3 * DAY, 4, 1)] for b in BASKETS])
    for left, right in zip(
        item_factors(LOG, ITEMS, CONFIG, 2 * DAY),
        item_factors(later, ITEMS, CONFIG, 3 * DAY),
        strict=True,
    ):
        np.testing.assert_allclose(left @ left.T, right @ right.T, atol=1e-4)


def test_they_are_the_same_in_every_run():
    first, second = (item_factors(LOG, ITEMS, CONFIG, 2 * DAY) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])


@pytest.mark.parametrize("until", [0, 2 * DAY])
def test_more_factors_than_there_can_be_are_zeros(until):
    config = CONFIG.model_copy(update={"dim": 8})
    history, candidate = item_factors(LOG, ITEMS, config, until)
    assert history.shape == candidate.shape == (ITEMS, 8)
    assert np.isfinite(history).all()
    assert np.isfinite(candidate).all()
    assert history.any() == (until > 0)


def test_tables_stand_in_the_order_of_indices():
    tables = FactorTables(np.array([4, 2, 3]), 5, 2)
    values = np.array([[1.0, 1], [2, 2], [3, 3]], np.float32)
    tables.assign(values, 10 * values)
    assert tables.history.numpy()[:, 0].tolist() == [0, 0, 2, 3, 1]
    assert tables.candidate.numpy()[:, 1].tolist() == [0, 0, 20, 30, 10]
    assert tables.trainable_variables == []
