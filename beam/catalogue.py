"""The catalogue: which item ids exist, and at which position of the item files."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from beam.sinks import read_table, write_table
from tfrs_app.contract.features import ITEM_ID

_KEPT, _FILTERED = "catalogue.arrow", "filtered.arrow"


@dataclass(frozen=True)
class Catalogue:
    """Holds the ids that events may name.

    `ids`: large_string, ascending by bytes, unique. `filtered`: ids that the items'
    `where` left out.
    """

    ids: Any
    filtered: Any

    def positions(self, ids: Any) -> Any:
        """Returns int32 positions in the catalogue, null where it lacks the id."""
        return pc.index_in(ids, value_set=self.ids)

    def filters(self, ids: Any) -> Any:
        """Returns which ids were filtered out of the catalogue."""
        return pc.is_in(ids, value_set=self.filtered)

    def save(self, folder: Path) -> None:
        """Writes the catalogue for the workers of the next stage."""
        write_table(folder / _KEPT, pa.table({ITEM_ID: self.ids}))
        write_table(folder / _FILTERED, pa.table({ITEM_ID: self.filtered}))


def merge_catalogue(kept: list[Any], filtered: list[Any]) -> Catalogue:
    """Merges the ids of all shards; an id that is also kept is not filtered."""
    empty = pa.array([], pa.large_string())
    ids = pa.concat_arrays([empty, *kept])
    ids = ids.take(pc.sort_indices(ids))
    out = pc.unique(pa.concat_arrays([empty, *filtered]))
    out = out.filter(pc.invert(pc.is_in(out, value_set=ids)))
    return Catalogue(ids, out)


@functools.lru_cache(maxsize=1)
def load_catalogue(folder: Path) -> Catalogue:
    """Reads the catalogue that an earlier stage saved, once a process."""
    kept = read_table(folder / _KEPT).column(ITEM_ID).combine_chunks()
    filtered = read_table(folder / _FILTERED).column(ITEM_ID).combine_chunks()
    return Catalogue(kept, filtered)
