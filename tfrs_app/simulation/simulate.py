"""Makes a shop: from a size and a seed to its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tfrs_app.contract.artifacts import write_atomically
from tfrs_app.contract.errors import DataError
from tfrs_app.simulation.browsing import browse
from tfrs_app.simulation.options import ShopSize
from tfrs_app.simulation.shop_config import config_text
from tfrs_app.simulation.shopping import shop
from tfrs_app.simulation.tables import (
    events_table,
    impressions_table,
    items_table,
    session_starts,
    users_table,
)
from tfrs_app.simulation.truth import write_truth
from tfrs_app.simulation.world import draw_world

TRUTH = "truth.npz"
CONFIG = "simulated.yaml"


@dataclass(frozen=True)
class Simulated:
    """Tells where a made shop lies, and how many rows its tables have."""

    config: Path
    truth: Path
    rows: dict[str, int]


def simulate(size: ShopSize, folder: Path) -> Simulated:
    """Writes tables, truth and config of a made shop into a folder.

    The same size and seed give the same bytes, with the same versions of NumPy and
    Arrow. Files of an earlier simulation are replaced, others are left alone.

    Raises:
        DataError: the folder can't be written.
    """
    rng = np.random.default_rng(size.seed)
    world = draw_world(size, rng)
    shown = browse(world, rng)
    events = shop(world, shown, rng)
    sessions = np.concatenate([events.session, shown.session]).max(initial=-1) + 1
    start = session_starts(sessions, rng)
    tables = {
        "events": events_table(events, world.items, start),
        "items": items_table(world.items),
        "users": users_table(world.customers),
        "impressions": impressions_table(shown, start),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            _write_table(table, folder / f"{name}.parquet")
        write_truth(world, folder / TRUTH)
        config = config_text(size, folder)
        write_atomically(folder / CONFIG, config.encode())
    except OSError as error:
        raise DataError(
            f"--output {folder}: can't be written ({error.strerror}); name a folder "
            "in which you may write"
        ) from error
    rows = {name: table.num_rows for name, table in tables.items()}
    return Simulated(folder / CONFIG, folder / TRUTH, rows)


def _write_table(table: pa.Table, path: Path) -> None:
    partial = path.with_name(f".{path.name}.partial")
    pq.write_table(table, partial)
    partial.replace(path)
