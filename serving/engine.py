"""Which program serves: the embedded server, or TensorFlow Serving's own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from tfrs_app.contract.errors import ServerError

BINARY = "tensorflow_model_server"


class Engine(StrEnum):
    """Names what serves."""

    AUTO = "auto"
    EMBEDDED = "embedded"
    TENSORFLOW_MODEL_SERVER = BINARY


@dataclass(frozen=True)
class Plan:
    """Says what to start: one shop's models, and where they are asked for.

    Attributes:
        model: name of the model.
        base_path: its folder of versions.
        grpc_port: a number, 0 for none, or `auto`.
        rest_port: likewise.
        bind: IP address; only the embedded server can choose it.
        insecure_allow_remote: permits that other machines reach the server.
        workers: processes of the embedded server.
        flags: further flags, named as TensorFlow Serving names them.
    """

    model: str
    base_path: Path
    grpc_port: str
    rest_port: str
    bind: str
    insecure_allow_remote: bool
    workers: int
    flags: Sequence[str]


def choose(engine: Engine, plan: Plan) -> Engine:
    """Returns the engine that serves a plan.

    `auto` takes TensorFlow Serving where it is installed and may be reached from other
    machines, since it always listens on all addresses.

    Raises:
        ServerError: TensorFlow Serving is asked for and absent, or may not listen.
    """
    if engine is Engine.EMBEDDED:
        return engine
    found = shutil.which(BINARY) is not None
    if engine is Engine.AUTO:
        remote = plan.insecure_allow_remote
        return Engine.TENSORFLOW_MODEL_SERVER if found and remote else Engine.EMBEDDED
    if not found:
        raise ServerError(
            f"{BINARY} is not on the PATH; install it or take --engine embedded"
        )
    if not plan.insecure_allow_remote:
        raise ServerError(
            f"{BINARY} listens on all addresses, without encryption or login; allow it "
            "with --insecure-allow-remote or take --engine embedded"
        )
    return engine


def command_line(engine: Engine, plan: Plan) -> list[str]:
    """Returns the flags that start an engine."""
    flags = [
        f"--port={plan.grpc_port}",
        f"--rest_api_port={plan.rest_port}",
        f"--model_name={plan.model}",
        f"--model_base_path={plan.base_path.absolute()}",
    ]
    if engine is Engine.EMBEDDED:
        flags += [
            f"--bind={plan.bind}",
            f"--insecure_allow_remote={str(plan.insecure_allow_remote).lower()}",
            f"--workers={plan.workers}",
        ]
    return [*flags, *plan.flags]


def start(engine: Engine, plan: Plan) -> int:
    """Serves until told to stop; returns the exit status.

    TensorFlow Serving takes this process' place, so signals reach it.

    Raises:
        ServerError: see `choose`.
    """
    chosen = choose(engine, plan)
    arguments = command_line(chosen, plan)
    if chosen is Engine.TENSORFLOW_MODEL_SERVER:
        os.execvp(BINARY, [BINARY, *arguments])
    from serving.server.__main__ import main

    return main(arguments)
