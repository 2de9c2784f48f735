"""Flags of batching, named as `tensorflow_model_server` names them."""

from __future__ import annotations

import argparse


def add_batching_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that `BatchingOptions.from_flags` takes."""
    group = parser.add_argument_group("batching")
    _add_switch(group, "enable_batching", "join requests into batches")
    group.add_argument(
        "--batching_parameters_file",
        default="",
        help="BatchingParameters in text form; without it the defaults",
    )
    _add_switch(
        group,
        "enable_per_model_batching_parameters",
        "read batching_params.pbtxt from a version's folder instead, and batch only "
        "versions that have one",
    )


def _add_switch(group: argparse._ActionsContainer, name: str, help: str) -> None:
    group.add_argument(
        f"--{name}", nargs="?", const=True, default=False, type=_switch,
        metavar="true|false", help=help,
    )  # fmt: skip


def _switch(text: str) -> bool:
    switches = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in switches:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return switches[text.lower()]
