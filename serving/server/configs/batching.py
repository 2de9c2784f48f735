"""Reads TF Serving's batching parameters: a protocol buffer as text.

max_batch_size { value: 32 }
allowed_batch_sizes: 8
allowed_batch_sizes: 32
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from serving.server.batching.parameters import BatchingParameters
from tfrs_app.contract.errors import ServerError

PER_MODEL_FILE = "batching_params.pbtxt"
"""Stands in a version's folder."""

_FIELD = descriptor_pb2.FieldDescriptorProto
_WRAPPED = {
    "max_batch_size": "Int64Value",
    "batch_timeout_micros": "Int64Value",
    "max_enqueued_batches": "Int64Value",
    "num_batch_threads": "Int64Value",
    "thread_pool_name": "StringValue",
    "enable_large_batch_splitting": "BoolValue",
    "max_execution_batch_size": "Int64Value",
}
_IGNORED = "thread_pool_name"  # a label of TF Serving's own threads


def read_batching_parameters(path: Path) -> BatchingParameters:
    """Returns the parameters of a file; what it leaves out is the default.

    Raises:
        ServerError: the file cannot be read, is no such text, or a value is impossible.
    """
    try:
        message = text_format.Parse(
            path.read_text(encoding="utf-8"), _message_class()()
        )
    except (OSError, UnicodeDecodeError, text_format.ParseError) as error:
        raise ServerError(
            f"{path}: no batching parameters in protocol buffer text format ({error}); "
            "write lines like 'max_batch_size { value: 32 }'"
        ) from error
    given: dict[str, Any] = {
        name: getattr(message, name).value
        for name in _WRAPPED
        if name != _IGNORED and message.HasField(name)
    }
    if message.allowed_batch_sizes:
        given["allowed_batch_sizes"] = tuple(message.allowed_batch_sizes)
    if message.pad_variable_length_inputs:
        given["pad_variable_length_inputs"] = True
    try:
        return BatchingParameters(**given)
    except ServerError as error:
        raise ServerError(f"{path}: {error}") from error


def _message_class() -> Any:
    """Returns TF Serving's BatchingParameters message, which no Python package has.

    Field numbers do not matter: only the text format is read.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="serving/server/configs/batching_parameters.proto",
        package="serving.server",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    message = file.message_type.add(name="BatchingParameters")
    for number, (name, wrapper) in enumerate(_WRAPPED.items(), 1):
        message.field.add(
            name=name,
            number=number,
            type=_FIELD.TYPE_MESSAGE,
            type_name=f".google.protobuf.{wrapper}",
            label=_FIELD.LABEL_OPTIONAL,
        )
    message.field.add(
        name="allowed_batch_sizes",
        number=len(_WRAPPED) + 1,
        type=_FIELD.TYPE_INT64,
        label=_FIELD.LABEL_REPEATED,
    )
    message.field.add(
        name="pad_variable_length_inputs",
        number=len(_WRAPPED) + 2,
        type=_FIELD.TYPE_BOOL,
        label=_FIELD.LABEL_OPTIONAL,
    )
    pool = descriptor_pool.DescriptorPool()
    wrappers = descriptor_pb2.FileDescriptorProto()
    wrappers_pb2.DESCRIPTOR.CopyToProto(wrappers)
    pool.Add(wrappers)
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("serving.server.BatchingParameters")
    )
