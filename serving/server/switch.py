"""A flag that is on or off, in TF Serving's form."""

from __future__ import annotations

import argparse

_VALUES = {"true": True, "1": True, "false": False, "0": False}


def add_switch(
    flags: argparse._ActionsContainer, name: str, *, default: bool | None, help: str
) -> None:
    """Adds a flag that is on alone, and takes `=true` and `=false`."""
    flags.add_argument(
        f"--{name}", nargs="?", const=True, type=_switch, default=default, help=help,
        metavar="true|false",
    )  # fmt: skip


def _switch(text: str) -> bool:
    try:
        return _VALUES[text.lower()]
    except KeyError as error:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither true nor false"
        ) from error
