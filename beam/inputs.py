"""Everything that a dataset is made from: the tables' files, plans and identity."""

from __future__ import annotations

from dataclasses import dataclass

from beam.reading import check_types, columns_of_file
from beam.sources import InputFile, Split, digests_of, input_files, splits_of
from beam.tables import TablePlan, check_same_columns, plan_table
from tfrs_app import __version__
from tfrs_app.contract.artifacts import identity_of
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import DataError


@dataclass(frozen=True)
class Input:
    """Holds one table's files, cut into splits, and what their columns become."""

    plan: TablePlan
    files: tuple[InputFile, ...]
    splits: tuple[Split, ...]


def inputs_of(config: ShopConfig) -> dict[str, Input]:
    """Finds and checks the tables of a shop: items, users (where given), events.

    Raises:
        DataError: a file or column is missing, or a file is corrupt.
    """
    tables = ["items", "users", "events"] if config.data.users else ["items", "events"]
    return {table: _input(config, table) for table in tables}


def identity(config: ShopConfig, inputs: dict[str, Input]) -> str:
    """Returns the digest of all that goes into the inputs' dataset."""
    sections = config.model_dump(
        mode="json", include={"data", "event_weights", "features"}
    )
    return identity_of(
        files={name: digests_of(part.files) for name, part in inputs.items()},
        version=__version__,
        **sections,
    )


def dataset_identity(config: ShopConfig) -> str:
    """Returns the id of the dataset that `prepare` would make.

    Raises:
        DataError: a file or column is missing, or a file is corrupt.
    """
    return identity(config, inputs_of(config))


def _input(config: ShopConfig, table: str) -> Input:
    files = input_files(getattr(config.data, table), f"data.{table}")
    first = files[0]
    plan = plan_table(config, table, first.path, columns_of_file(first))
    for file in files:
        check_same_columns(plan, file.path, columns_of_file(file))
        check_types(file, plan.file_columns)
    splits = splits_of(files)
    if not splits:
        raise DataError(
            f"data.{table}.source: the table has no rows; name a table with rows"
        )
    return Input(plan, files, splits)
