"""The file in which a simulation's truth travels."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.contract.errors import DataError
from tfrs_app.simulation.customers import Customers
from tfrs_app.simulation.items import Items
from tfrs_app.simulation.options import Behaviour
from tfrs_app.simulation.world import World

UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile)
"""What NumPy raises on a file that is none of its own, or not whole."""
PARTS = ("items", "customers", "behaviour")


def write_truth(world: World, path: Path) -> None:
    """Writes a world as one npz file, `part.name` an array."""
    arrays = {"activity": world.activity, "season": world.season}
    for part in PARTS:
        for name, value in vars(getattr(world, part)).items():
            arrays[f"{part}.{name}"] = np.asarray(value)
    content = BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_atomically(path, content.getvalue())


def read_truth(path: Path) -> World:
    """Reads what `write_truth` wrote.

    Raises:
        DataError: the file is absent or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        return World(
            items=Items(**_part("items", arrays)),
            customers=Customers(**_part("customers", arrays)),
            activity=arrays["activity"],
            season=arrays["season"],
            behaviour=Behaviour(**_part("behaviour", arrays)),
        )
    except UNREADABLE as error:
        raise DataError(
            f"{path}: is not the truth of a simulated shop ({error}); write it with "
            "`tfrs-app simulate`"
        ) from error


def _part(part: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    return {
        name.removeprefix(f"{part}."): value if value.ndim else value.item()
        for name, value in arrays.items()
        if name.startswith(f"{part}.")
    }
