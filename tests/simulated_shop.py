"""A made shop of toy size, with its truth, for several suites."""

from dataclasses import dataclass
from pathlib import Path

from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.loading import load_config
from tfrs_app.simulation.options import ShopSize
from tfrs_app.simulation.simulate import Simulated, simulate

SIZE = ShopSize(users=600, items=150, days=96, seed=5)


@dataclass(frozen=True)
class ToyShop:
    """A simulated shop's folder and what the simulation told of it."""

    folder: Path
    made: Simulated

    @property
    def config(self) -> ShopConfig:
        artifacts = f"artifacts={self.folder / 'artifacts'}"
        return load_config(self.made.config, [artifacts])


def write_toy(folder: Path) -> ToyShop:
    return ToyShop(folder, simulate(SIZE, folder))
