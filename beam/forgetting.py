"""Removes a user from every dataset of a shop and keeps them out of later ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
from rich.console import Console

from beam.inputs import stored_inputs
from beam.job import Job
from beam.recipe import read_recipe
from beam.reports import Counts
from beam.runners import pipeline_options
from beam.shuffle import shards_of
from beam.sinks import atomic_file
from beam.stored import users_in
from tfrs_app.contract.artifacts import (
    EVALUATION_PAGE,
    MANIFEST,
    Layout,
    staged,
    verify,
    write_manifest,
)
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.dataset import (
    FORGOTTEN,
    REJECTS,
    SEQUENCES,
    USERS,
    shard_name,
)
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.privacy import Forgotten, UserKey
from tfrs_app.data.quality_page import DATA_PAGE


def forget(config: ShopConfig, user_id: str, console: Console) -> list[Path]:
    """Removes a user from all datasets of a shop and keeps them out of later ones.

    Args:
        config: the shop.
        user_id: as the tables name the user.
        console: takes what is done.

    Returns:
        The datasets that held the user. Each was made again without them, under its
        old id, or deleted where nothing useful is left.

    Raises:
        UserError: a dataset is damaged, or the key of the user ids is missing.
    """
    key = UserKey.of(config.data.hash_users)
    names = [user_id, *([key.pseudonym(user_id)] if key else [])]
    forgotten = Forgotten.load(config.root)
    for name in names:
        forgotten = forgotten.with_user(name)
    # First the list: whatever happens next, no later job takes the user up again.
    forgotten.save(config.root)
    datasets = Layout(root=config.root).dataset("any").parent
    folders = sorted(path.parent for path in datasets.glob(f"*/{MANIFEST}"))
    held = [folder for folder in folders if _holds(folder, names)]
    if held:  # the pages may list values that only they had, or what they bought
        for page in (DATA_PAGE, EVALUATION_PAGE):
            (Layout(root=config.root).reports / page).unlink(missing_ok=True)
    for folder in held:
        try:
            _make_without(folder, names, forgotten, console)
        except DataError as error:
            shutil.rmtree(folder)
            console.print(f"deleted {folder}, useless without this user: {error}")
    return held


def _holds(folder: Path, names: list[str]) -> bool:
    verify(folder)
    shards = read_recipe(folder).data.shards
    for name, shard in zip(names, shards_of(pa.array(names), shards), strict=True):
        for kind in (SEQUENCES, USERS):
            path = folder / kind / shard_name(int(shard), shards)
            if path.is_file() and name in users_in(path):
                return True
    rejects = (line for path in _rejects(folder) for line in _lines(path))
    return any(_mentions(line, names) for line in rejects)


def _make_without(
    folder: Path, names: list[str], forgotten: Forgotten, console: Console
) -> None:
    before, recipe = verify(folder), read_recipe(folder)
    inputs = stored_inputs(recipe, folder, forgotten)
    with staged(folder) as staging:
        job = Job(
            recipe, inputs, staging.absolute(), pipeline_options(()), console, folder
        )
        counts = job.run()
        for path in _rejects(folder):
            _copy_rejects(path, staging / REJECTS / path.name, names)
        write_manifest(
            staging,
            kind=before.kind,
            identity=before.id,
            parent=before.parent,
            spec_fingerprint=before.spec_fingerprint,
            counts=_balanced(before.counts, counts),
        )


def _balanced(before: Counts, after: Counts) -> Counts:
    """Returns the row balance of the first making, less the forgotten users' rows."""
    return {
        table: {
            **old,
            "rows_out": after[table]["rows_out"],
            FORGOTTEN: old[FORGOTTEN] + old["rows_out"] - after[table]["rows_out"],
        }
        for table, old in before.items()
    }


def _rejects(folder: Path) -> list[Path]:
    return sorted((folder / REJECTS).glob("*.jsonl"))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as lines:
        yield from map(orjson.loads, lines)


def _mentions(reject: dict[str, Any], names: list[str]) -> bool:
    content = reject["content"]
    if isinstance(content, dict):
        return any(str(value) in names for value in content.values())
    return isinstance(content, str) and any(name in content for name in names)


def _copy_rejects(source: Path, target: Path, names: list[str]) -> None:
    """Copies rejected rows; of those that name the user only file, row and reason."""
    with atomic_file(target) as file:
        for reject in _lines(source):
            if _mentions(reject, names):
                reject["content"] = None
            file.write(orjson.dumps(reject) + b"\n")
