"""Serves one model; flags are named as `tensorflow_model_server` names them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from serving.server.options import ServerOptions
from serving.server.protocol import add_protocol_flags, protocol_options
from tfrs_app.contract.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server until it is told to stop; returns the exit status."""
    flags = _parser().parse_args(arguments)
    try:
        options = ServerOptions(
            models={flags.model_name: flags.model_base_path},
            grpc_port=flags.port,
            rest_port=flags.rest_api_port,
            bind=flags.bind,
            insecure_allow_remote=flags.insecure_allow_remote,
            protocol=protocol_options(flags),
        )
        from serving.server.server import serve  # TensorFlow takes seconds to import

        serve(options)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("serving.server", description=__doc__)
    parser.add_argument("--model_name", required=True)
    parser.add_argument(
        "--model_base_path",
        required=True,
        type=Path,
        help="folder that holds one folder a version",
    )
    parser.add_argument("--port", type=int, default=8500, help="gRPC; 0 = any free")
    parser.add_argument(
        "--rest_api_port", type=int, default=8501, help="REST; 0 = any free"
    )
    parser.add_argument("--bind", default="127.0.0.1", help="IP address to listen on")
    parser.add_argument(
        "--insecure_allow_remote",
        action="store_true",
        help="permit a --bind that other machines can reach",
    )
    add_protocol_flags(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
