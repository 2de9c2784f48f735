"""Joins the inputs of several requests into one batch and cuts its outputs apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import grpc
import numpy as np

from serving.server.batching.task import Outputs, Task
from serving.server.errors import ServingError
from serving.tensor_codec import Array


def joined(tasks: Sequence[Task], rows: int) -> dict[str, Array]:
    """Returns the inputs of a batch.

    Args:
        tasks: of one key.
        rows: of the batch; what the tasks lack is filled up with copies of the last
            one's first row.
    """
    first = tasks[0].inputs
    if len(tasks) == 1 and rows == tasks[0].rows:
        return dict(first)
    return {
        name: array
        if array.ndim == 0
        else _concatenated([task.inputs[name] for task in tasks], rows)
        for name, array in first.items()
    }


def cut(
    outputs: Mapping[str, Array], tasks: Sequence[Task], rows: int
) -> list[Outputs]:
    """Returns each task's share of a batch's outputs.

    Raises:
        ServingError: FAILED_PRECONDITION if an output has other than `rows` rows.
    """
    check_rows(outputs, rows)
    if len(tasks) == 1 and rows == tasks[0].rows:
        return [dict(outputs)]
    shares, start = [], 0
    for task in tasks:
        end = start + task.rows
        shares.append({name: array[start:end] for name, array in outputs.items()})
        start = end
    return shares


def check_rows(outputs: Mapping[str, Array], rows: int) -> None:
    """Checks that a batch's outputs can be cut into its tasks'.

    Raises:
        ServingError: FAILED_PRECONDITION.
    """
    for name, array in outputs.items():
        if array.ndim == 0:
            raise _precondition(
                f'Batched output tensor has 0 dimensions: output "{name}"; serve this '
                "signature without batching"
            )
        if len(array) != rows:
            raise _precondition(
                f"Batched output tensor's 0th dimension does not equal the sum of the "
                f'0th dimension sizes of the input tensors: output "{name}" has shape '
                f"{list(array.shape)}, the batch {rows} rows; serve this signature "
                "without batching"
            )


def _concatenated(arrays: Sequence[Array], rows: int) -> Array:
    """Returns arrays one below the other, `[rows, ...]`, blanks behind short ones."""
    first, last = arrays[0], arrays[-1]
    trailing = {array.shape[1:] for array in arrays}
    if len(trailing) == 1:
        more = rows - sum(map(len, arrays))
        return np.concatenate([*arrays, *[last[:1]] * more])
    widest = tuple(map(max, zip(*trailing, strict=True)))
    batch: Array = np.full((rows, *widest), _blank(first), first.dtype)
    start = 0
    for array in arrays:
        here = (slice(start, start + len(array)), *map(slice, array.shape[1:]))
        batch[here] = array
        start += len(array)
    batch[start:] = batch[start - len(last)]
    return batch


def _blank(array: Array) -> bytes | int:
    return b"" if array.dtype == object else 0


def _precondition(message: str) -> ServingError:
    return ServingError(grpc.StatusCode.FAILED_PRECONDITION, message)
