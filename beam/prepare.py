"""Makes a dataset: `python -m beam.prepare -c configs/<shop>.yaml`."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from beam.base import base_of
from beam.inputs import Input, identity, inputs_of
from beam.job import Job
from beam.reports import Counts
from beam.runners import pipeline_options
from tfrs_app.contract.artifacts import (
    Layout,
    read_manifest,
    staged,
    verify,
    write_manifest,
)
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ArtifactError, DataError, UserError
from tfrs_app.contract.loading import load_config
from tfrs_app.contract.privacy import Forgotten
from tfrs_app.contract.quality import read_quality
from tfrs_app.data.gates import check_gates
from tfrs_app.data.previous import Made
from tfrs_app.data.quality_page import DATA_PAGE, write_page
from tfrs_app.data.validation import summary, validate

_LEAST_FREE_BYTES = 1 << 20

__all__ = ["dataset_identity", "main", "prepare"]


def prepare(
    config: ShopConfig, runner_options: Sequence[str] = (), *, force: bool = False
) -> Path:
    """Makes the dataset of a shop, unless a valid one is there.

    Args:
        config: the shop.
        runner_options: Beam's flags; without `--runner` the job runs in this process.
        force: whether to make it again even if it is there.

    Returns:
        The dataset's folder.

    Raises:
        UserError: an input or the config has a fault that the user can mend, or a
            gate of `data.gates` is not kept; then nothing is published.
        RuntimeError: the runner lost rows; nothing is left behind.
    """
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    options = pipeline_options(runner_options)
    made = _ingredients(config)
    folder = Layout(root=config.root).dataset(made.identity)
    if not force and _is_valid(folder):
        check_gates(validate(config, folder, Made.of(read_manifest(folder))).verdicts)
        console.print(f"dataset unchanged: {folder}")
        return folder
    with staged(folder) as staging:
        job = Job(config, made.inputs, staging.absolute(), options, console, made.base)
        try:
            described = _described(config, made, job.run())
        except Exception as error:
            check_space(staging, error)
            raise
        _judge(config, staging, described, console)
        write_manifest(
            staging,
            kind="dataset",
            identity=described.identity,
            parent=described.parent,
            spec_fingerprint=described.spec_fingerprint,
            counts=described.counts,
        )
    console.print(f"dataset {folder}")
    return folder


def dataset_identity(config: ShopConfig) -> str:
    """Returns the id of the dataset that `prepare` would make.

    Raises:
        UserError: a file or column is missing, a file is corrupt, or no dataset is
            there to which `data.since` could add.
    """
    return _ingredients(config).identity


@dataclass(frozen=True)
class _Ingredients:
    inputs: dict[str, Input]
    base: Path | None
    identity: str


def _ingredients(config: ShopConfig) -> _Ingredients:
    base, forgotten = base_of(config), Forgotten.load(config.root)
    inputs = inputs_of(config, base=base, forgotten=forgotten)
    name = identity(config, inputs, base=base, forgotten=forgotten)
    return _Ingredients(inputs, base, name)


def check_space(folder: Path, cause: Exception) -> None:
    """Checks whether a job failed because its disk is full.

    A full disk is found where it is, since every runner words exceptions of its own.

    Raises:
        DataError: it is.
    """
    if shutil.disk_usage(folder).free < _LEAST_FREE_BYTES:
        raise DataError(
            f"{folder.parent}: the disk is full; free some space, or name a folder on "
            "another disk with `artifacts`, and run again"
        ) from cause


def _described(config: ShopConfig, made: _Ingredients, counts: Counts) -> Made:
    return Made(
        identity=made.identity,
        parent=made.base.name if made.base else None,
        spec_fingerprint=config.spec.fingerprint,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        counts=counts,
    )


def _judge(config: ShopConfig, staging: Path, made: Made, console: Console) -> None:
    """Tells how sound a dataset is, before it counts as one."""
    found = validate(config, staging, made)
    report = Layout(root=config.root).reports / DATA_PAGE
    write_page(report, found)
    for line in summary(found):
        console.print(line)
    console.print(f"report  {report}")
    check_gates(found.verdicts)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m beam.prepare",
        description="Makes a dataset of a shop's tables.",
        epilog="Every further option goes to Apache Beam, e.g. --runner.",
    )
    parser.add_argument("-c", "--config", type=Path, required=True)
    parser.add_argument(
        "--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE"
    )
    parser.add_argument("--force", action="store_true", help="make it even if valid")
    arguments, runner_options = parser.parse_known_args(argv)
    try:
        config = load_config(arguments.config, arguments.set)
        prepare(config, runner_options, force=arguments.force)
    except UserError as error:
        Console(stderr=True).print(f"error: {error}", markup=False, soft_wrap=True)
        return 2
    return 0


def _is_valid(folder: Path) -> bool:
    try:
        verify(folder)
        read_quality(folder)
    except ArtifactError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
