"""The made shop's dataset and its oracle."""

import pytest

from beam.prepare import prepare
from tests.simulated_shop import SIZE, write_toy
from tfrs_app.data.dataset import Dataset
from tfrs_app.simulation.oracle import Oracle
from tfrs_app.simulation.truth import read_truth


@pytest.fixture(scope="session")
def toy_shop(tmp_path_factory):
    return write_toy(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="session")
def dataset(toy_shop):
    return Dataset.open(prepare(toy_shop.config))


@pytest.fixture(scope="session")
def oracle(toy_shop, dataset):
    world = read_truth(toy_shop.made.truth)
    ids = dataset.catalogue["item_id"]
    return Oracle(world, dataset.events, ids, SIZE.window_days)
