"""The tiny shop with so many events, in many splits, that a test can interfere."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from tests.integration.beam import shop


def write_busy_shop(folder, rows, splits):
    """Writes the tables and the YAML; returns the YAML's path."""
    path = shop.write_shop(folder)
    random = np.random.default_rng(3)
    moments = np.datetime64("2020-01-01", "s") + random.integers(0, 30 * 86400, rows)
    events = {
        "customer": random.integers(0, 2000, rows),
        "product": random.integers(95, 125, rows),
        "moment": moments,
        "kind": random.choice(["view", "purchase"], rows),
        "quantity": np.ones(rows, dtype=np.int64),
        "paid": random.random(rows),
        "receipt": random.integers(0, 9999, rows),
        "store": random.choice(["north", "south"], rows),
        "wait": random.random(rows),
    }
    file = folder / "events.parquet"
    pq.write_table(pa.table(events), file, row_group_size=rows // splits)
    return path


def bytes_of(folder):
    """Path -> content of a dataset's files; the manifest tells when it was made."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
