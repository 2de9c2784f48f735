"""Tells the columns that a table's files have, with their types, for people to read."""

from __future__ import annotations

from beam.inputs import Input
from beam.sources import InputFile, open_parquet
from beam.tables import SourcePlan


def schema(table: Input) -> list[str]:
    """Returns `column type` of every column that is read, in order, without repeats.

    CSV and JSON Lines know only text.
    """
    listed: dict[str, None] = {}
    for plan, files in zip(table.sources, table.files, strict=True):
        types = _types(files[0], plan)
        listed |= {f"{name} {kind}": None for name, kind in types.items()}
    return list(listed)


def _types(file: InputFile, plan: SourcePlan) -> dict[str, str]:
    if file.format != "parquet":
        return dict.fromkeys(plan.file_columns, "text")
    with open_parquet(file) as parquet:
        found = parquet.schema_arrow
    return {name: str(found.field(name).type) for name in plan.file_columns}
