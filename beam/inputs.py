"""Everything that a dataset is made from: the tables' files, plans and identity."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from beam.planning import TableSource, check_same_columns, plan_table
from beam.pruning import recent
from beam.reading import check_types, columns_of_file
from beam.sources import InputFile, Split, digests_of, input_files, splits_of
from beam.tables import SourcePlan, TablePlan
from tfrs_app import __version__
from tfrs_app.contract.artifacts import identity_of
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.data_config import EventsConfig, TableConfig
from tfrs_app.contract.dataset import ITEMS, SEQUENCES, USERS
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.privacy import NOBODY, Forgotten, UserKey

RECORD_FOLDERS = {"items": ITEMS, "users": USERS, "events": SEQUENCES}


@dataclass(frozen=True)
class Input:
    """Holds one table's plan, its sources' plans and files, and all splits."""

    plan: TablePlan
    sources: tuple[SourcePlan, ...]
    files: tuple[tuple[InputFile, ...], ...]
    splits: tuple[Split, ...]
    skipped: int
    """Rows of row groups that need not be read: all of them are filtered."""


@dataclass(frozen=True)
class _Source:
    section: TableConfig
    key: str
    files: tuple[InputFile, ...]
    columns: dict[str, list[str]]
    """Path -> columns."""
    stored: bool = False

    def described(self) -> TableSource:
        """Returns what planning needs to know."""
        first = self.files[0].path
        names = self.columns[first]
        if self.stored:  # an empty shard tells no columns
            names = sorted(set().union(*self.columns.values()))
        return TableSource(self.section, self.key, first, names, self.stored)

    def check(self, plan: SourcePlan) -> None:
        """Checks every file against the plan of the first one."""
        for file in () if self.stored else self.files:
            check_same_columns(plan, self.key, file.path, self.columns[file.path])
            check_types(file, plan.file_columns)


def inputs_of(
    config: ShopConfig,
    *,
    base: Path | None = None,
    forgotten: Forgotten = NOBODY,
) -> dict[str, Input]:
    """Finds and checks the tables of a shop: items, users (where given), events.

    Args:
        config: the shop.
        base: folder of a dataset to which the tables are added.
        forgotten: users whose rows are left out.

    Raises:
        DataError: a file or column is missing, or a file is corrupt.
    """
    return {
        table: _input(config, table, list(_sources(config, table, base)), forgotten)
        for table in _tables(config)
    }


def stored_inputs(
    config: ShopConfig, folder: Path, forgotten: Forgotten = NOBODY
) -> dict[str, Input]:
    """Returns the tables as a dataset holds them.

    Args:
        config: the shop as it was when the dataset was made.
        folder: the dataset's.
        forgotten: users whose rows are left out.
    """
    return {
        table: _input(config, table, [_stored(folder, table)], forgotten)
        for table in _tables(config)
    }


def identity(
    config: ShopConfig,
    inputs: dict[str, Input],
    *,
    base: Path | None = None,
    forgotten: Forgotten = NOBODY,
) -> str:
    """Returns the digest of all that goes into the inputs' dataset."""
    sections = config.model_dump(
        mode="json",
        include={"data", "event_weights", "features"},
        exclude={"data": {"gates"}},
    )
    key = UserKey.of(config.data.hash_users)
    return identity_of(
        files={
            table: [
                digests_of(files)
                for files in part.files
                if files[0].format != "dataset"
            ]
            for table, part in inputs.items()
        },
        base=base.name if base else None,
        user_key=key.fingerprint if key else None,
        forgotten=forgotten.fingerprint,
        version=__version__,
        **sections,
    )


def _tables(config: ShopConfig) -> tuple[str, ...]:
    return ("items", "users", "events") if config.data.users else ("items", "events")


def _sources(config: ShopConfig, table: str, base: Path | None) -> Iterator[_Source]:
    section = getattr(config.data, table)
    sections = section if isinstance(section, tuple) else (section,)
    for index, part in enumerate(sections):
        several = len(sections) > 1
        key = f"data.{table}.{index}" if several else f"data.{table}"
        files = input_files(part, key)
        if several:
            files = tuple(replace(f, label=f"{index}/{f.label}") for f in files)
        columns = {file.path: columns_of_file(file) for file in files}
        yield _Source(part, key, files, columns)
    if base is not None and (base / RECORD_FOLDERS[table]).is_dir():
        yield _stored(base, table)


def _stored(folder: Path, table: str) -> _Source:
    paths = sorted((folder / RECORD_FOLDERS[table]).glob("*.tfrecord"))
    files = tuple(
        InputFile(str(path.absolute()), f"{folder.name}/{path.name}", "dataset")
        for path in paths
    )
    columns = {file.path: columns_of_file(file) for file in files}
    section = EventsConfig if table == "events" else TableConfig
    made = section(source=str(folder))
    return _Source(made, f"data.{table}", files, columns, stored=True)


def _input(
    config: ShopConfig, table: str, sources: Sequence[_Source], forgotten: Forgotten
) -> Input:
    plan, plans = plan_table(config, table, [source.described() for source in sources])
    for source, source_plan in zip(sources, plans, strict=True):
        source.check(source_plan)
    files = tuple(source.files for source in sources)
    splits, skipped = recent(splits_of(files), plans)
    if not splits:
        raise DataError(
            f"data.{table}.source: the table has no rows; name a table with rows"
        )
    plans = tuple(replace(part, forgotten=forgotten) for part in plans)
    return Input(plan, plans, files, splits, skipped)
