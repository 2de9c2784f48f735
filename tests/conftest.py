"""What several suites share: the toy shop, run once through every stage."""

import gc
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from rich.console import Console

import tfrs_app  # noqa: F401  (before tensorflow: it chooses Keras 2)
from tests import program
from tests.little_shop import write_little_shop
from tests.toy_shop import overrides, write_toy_shop
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.loading import load_config

settings.register_profile("no clock", deadline=None)
settings.load_profile("no clock")  # a busy machine is no fault of the code
COSTLY = frozenset(
    {"toy_run", "simulated_dataset", "simulated_towers", "minilm_folder"}
)
"""Fixtures that take long: what asks for one, directly or through another, is slow."""
WHOLE_SYSTEMS = (
    "tests/browser/",
    "tests/conformance/",
    "tests/e2e/",
    "tests/integration/",
)
"""Where tests run jobs, servers, browsers and processes: all of them are slow."""
SMOKE = Path(__file__).parents[1] / "configs" / "smoke.yaml"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Divides the tests among the processes of pytest-xdist, if there are several."""
    from tests.scheduling import ByFixture

    return ByFixture(config, log)


def pytest_collection_modifyitems(items):
    """Marks as slow what `make test-fast` leaves to `make test`."""
    for item in items:
        costly = COSTLY.intersection(getattr(item, "fixturenames", ()))
        if costly or item.nodeid.startswith(WHOLE_SYSTEMS):
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish():
    """Spares every collection of garbage the libraries, which stay to the end."""
    gc.freeze()


@dataclass(frozen=True)
class ToyRun:
    """A finished `tfrs-app run` of the toy shop."""

    config_path: Path
    overrides: list[str]
    output: str

    @property
    def config(self) -> ShopConfig:
        return load_config(self.config_path, self.overrides)

    @property
    def stages(self) -> Stages:
        return Stages(self.config, Console(quiet=True))

    @property
    def options(self) -> list[str]:
        """The options of every command: -c FILE --set KEY=VALUE ..."""
        sets = [part for text in self.overrides for part in ("--set", text)]
        return ["-c", str(self.config_path), *sets]


@pytest.fixture(scope="session")
def toy_tables(tmp_path_factory) -> Path:
    """The folder of the toy shop's three tables."""
    folder = tmp_path_factory.mktemp("toy_tables")
    write_toy_shop(folder)
    return folder


@pytest.fixture(scope="session")
def toy_overrides(toy_tables) -> list[str]:
    """What points configs/smoke.yaml at the tables; `artifacts` is missing."""
    return overrides(toy_tables)


@pytest.fixture(scope="session")
def toy_run(tmp_path_factory, toy_overrides) -> ToyRun:
    """The toy shop after `tfrs-app run`: shared, so nobody may write into it."""
    root = tmp_path_factory.mktemp("toy_run")
    toy = ToyRun(SMOKE, [f"artifacts={root}", *toy_overrides], "")
    done = program.process("run", *toy.options)
    assert done.returncode == 0, done.stdout + done.stderr
    return ToyRun(SMOKE, toy.overrides, done.stdout + done.stderr)


@pytest.fixture(scope="session")
def little_config(tmp_path_factory) -> ShopConfig:
    """The config of the little shop, whose tables are written."""
    return write_little_shop(tmp_path_factory.mktemp("little"))


@pytest.fixture(scope="session")
def little_folder(little_config) -> Path:
    """The little shop's dataset, made by the real job: nobody may write into it."""
    from beam.prepare import prepare

    return prepare(little_config)


@pytest.fixture(scope="session")
def little_encoded(little_folder):
    """The little shop's dataset, opened and looked up."""
    from tfrs_app.data.dataset import Dataset
    from tfrs_app.models.encoded import EncodedDataset

    return EncodedDataset.of(Dataset.open(little_folder))
