"""Makes a dataset: `python -m beam.prepare -c configs/<shop>.yaml`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from beam.inputs import dataset_identity, identity, inputs_of
from beam.job import Job
from beam.runners import pipeline_options
from tfrs_app.contract.artifacts import Layout, staged, verify, write_manifest
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ArtifactError, UserError
from tfrs_app.contract.loading import load_config

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
        UserError: an input or the config has a fault that the user can mend.
        RuntimeError: the runner lost rows; nothing is left behind.
    """
    console = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)
    options = pipeline_options(runner_options)
    inputs = inputs_of(config)
    name = identity(config, inputs)
    folder = Layout(root=config.root).dataset(name)
    if not force and _is_valid(folder):
        console.print(f"dataset unchanged: {folder}")
        return folder
    with staged(folder) as staging:
        job = Job(config, inputs, staging.absolute(), options, console)
        counts = job.run()
        write_manifest(
            staging,
            kind="dataset",
            identity=name,
            parent=None,
            spec_fingerprint=config.spec.fingerprint,
            counts=counts,
        )
    console.print(f"dataset {folder}")
    return folder


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
    except ArtifactError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
