"""Serves models until it is told to stop: `python -m serving.server --help`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from serving.server.flags import options_of, parser
from serving.server.operations.logs import configure
from serving.server.process import serve
from tfrs_app.contract.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server until it is told to stop; returns the exit status."""
    try:
        options = options_of(parser().parse_args(arguments))
        configure(options.operations.log_format)
        serve(options)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
