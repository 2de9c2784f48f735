"""Flags of batching, named as `tensorflow_model_server` names them."""

from __future__ import annotations

import argparse

from serving.server.switch import add_switch


def add_batching_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that `BatchingOptions.from_flags` takes."""
    group = parser.add_argument_group("batching")
    add_switch(
        group, "enable_batching", default=False, help="join requests into batches"
    )
    group.add_argument(
        "--batching_parameters_file",
        default="",
        help="BatchingParameters in text form; without it the defaults",
    )
    add_switch(
        group,
        "enable_per_model_batching_parameters",
        default=False,
        help="read batching_params.pbtxt from a version's folder instead, and batch "
        "only versions that have one",
    )
