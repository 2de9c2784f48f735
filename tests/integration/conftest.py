"""The made shop of toy size, and its dataset by the real job."""

import pytest

from tests.simulated_shop import write_toy


@pytest.fixture(scope="session")
def simulated_shop(tmp_path_factory):
    return write_toy(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="session")
def simulated_dataset(simulated_shop):
    """Shared, so nobody may write into it."""
    from beam.prepare import prepare
    from tfrs_app.data.dataset import Dataset

    return Dataset.open(prepare(simulated_shop.config))


@pytest.fixture(scope="session")
def simulated_towers(simulated_shop, simulated_dataset, tmp_path_factory):
    from tests.simulated_towers import quick_towers

    folder = tmp_path_factory.mktemp("towers") / "run"
    return quick_towers(simulated_dataset, simulated_shop.config.retrieval, folder)
