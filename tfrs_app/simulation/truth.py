"""The file in which a simulation's truth travels."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfrs_app.contract.errors import DataError
from tfrs_app.simulation.customers import Customers
from tfrs_app.simulation.items import Items
from tfrs_app.simulation.options import Behaviour
from tfrs_app.simulation.world import World

PARTS = {"items": Items, "customers": Customers, "behaviour": Behaviour}


def write_truth(world: World, path: Path) -> None:
    """Writes a world as one npz file, `part.name` an array."""
    arrays = {"activity": world.activity, "season": world.season}
    for part in PARTS:
        for name, value in vars(getattr(world, part)).items():
            arrays[f"{part}.{name}"] = np.asarray(value)
    np.savez_compressed(path, **arrays)


def read_truth(path: Path) -> World:
    """Reads what `write_truth` wrote.

    Raises:
        DataError: the file is absent or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        parts = {name: _part(name, arrays) for name in PARTS}
        return World(activity=arrays["activity"], season=arrays["season"], **parts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: is not the truth of a simulated shop ({error}); write it with "
            "`tfrs-app simulate`"
        ) from error


def _part(part: str, arrays: dict[str, np.ndarray]) -> object:
    found = {
        name.removeprefix(f"{part}."): value if value.ndim else value.item()
        for name, value in arrays.items()
        if name.startswith(f"{part}.")
    }
    return PARTS[part](**found)
