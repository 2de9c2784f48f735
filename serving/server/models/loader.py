"""Loads one version: verified, warmed up, or refused with a reason."""

from __future__ import annotations

import ctypes
import gc
import time
from pathlib import Path

import grpc
import tensorflow as tf

from serving.server.batching.options import NO_BATCHING, BatchingOptions
from serving.server.errors import code_of_number
from serving.server.models.servable import Servable
from serving.server.models.warmup import warm_up
from serving.server.operations.metrics.server_metrics import ServerMetrics
from serving.server.protocol import UPSTREAM, ProtocolOptions
from tfrs_app.contract.artifacts import MANIFEST, MODEL_EXTRAS, verify_model

_UNKNOWN_OP = "Op type not registered"


def load_servable(
    model: str,
    version: int,
    folder: Path,
    batching: BatchingOptions = NO_BATCHING,
    protocol: ProtocolOptions = UPSTREAM,
    metrics: ServerMetrics | None = None,
) -> Servable:
    """Returns a version, verified against its manifest if it has one, and warmed up.

    Args:
        model: its name.
        version: its number.
        folder: where it lies.
        batching: whether its requests are batched.
        protocol: how often it is warmed up, and how strictly.
        metrics: count warm-ups and waits.

    Raises:
        ArtifactError: a file is absent or changed, or a warm-up record failed.
    """
    if (folder / MODEL_EXTRAS / MANIFEST).is_file():
        verify_model(folder)
    servable = Servable(
        model,
        version,
        folder,
        batching.of_version(folder),
        metrics.queued if metrics else None,
    )
    started, records = time.monotonic(), 0
    try:
        if protocol.warm_up:
            records = warm_up(
                servable,
                folder,
                iterations=protocol.warmup_iterations,
                check_method=protocol.check_method_name,
            )
    except BaseException:
        servable.close()
        raise
    if metrics and records:
        seconds = time.monotonic() - started
        metrics.warmed_up(str(folder), grpc.StatusCode.OK, seconds)
    return servable


def failure(error: Exception) -> tuple[grpc.StatusCode, str]:
    """Returns the status code and the first line of what made a load fail."""
    lines = str(error).strip().splitlines()
    message = lines[0] if lines else type(error).__name__
    if isinstance(error, tf.errors.OpError):
        return code_of_number(error.error_code), error.message.splitlines()[0]
    if _UNKNOWN_OP in message:
        return grpc.StatusCode.NOT_FOUND, message
    return grpc.StatusCode.FAILED_PRECONDITION, message


def give_memory_back() -> None:
    """Returns freed memory to the system: glibc keeps a closed session's otherwise."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:  # another C library
        trim(0)
