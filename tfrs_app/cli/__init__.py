"""The command line: `tfrs-app prepare | train | evaluate | export | serve | ...`.

The commands import their stages when they run, so `--help` never waits for TensorFlow.
"""

from __future__ import annotations

import os
import sys

from rich.console import Console

from tfrs_app.cli.commands import app
from tfrs_app.contract.errors import UserError

__all__ = ["app", "main"]


def main() -> None:
    """Runs a command; a user's mistake is one sentence on stderr and exit code 2."""
    # TensorFlow's C++ side reports missing GPUs at error level on every start.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app()
    except UserError as error:
        Console(stderr=True, soft_wrap=True, highlight=False).print(
            f"error: {error}", style="red", markup=False
        )
        sys.exit(2)
