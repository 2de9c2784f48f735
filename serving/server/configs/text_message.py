"""Reads TF Serving's text-format files, also of messages that no stub package has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
)

from tfrs_app.contract.errors import ConfigError

_PACKAGE = "tensorflow.serving"
_FIELD = descriptor_pb2.FieldDescriptorProto
STRING = _FIELD.TYPE_STRING
BOOL = _FIELD.TYPE_BOOL


def message_classes(
    file: str, messages: Mapping[str, Mapping[str, int | str]]
) -> dict[str, Any]:
    """Returns message classes made of their fields, numbered from 1 in order.

    Args:
        file: name of the `.proto` file that they stand for.
        messages: message name -> field name -> a type of this module, or the name of
            another of the messages.
    """
    proto = descriptor_pb2.FileDescriptorProto(
        name=file, package=_PACKAGE, syntax="proto3"
    )
    for name, fields in messages.items():
        message = proto.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields.items(), start=1):
            added = message.field.add(
                name=field, number=number, label=_FIELD.LABEL_OPTIONAL
            )
            if isinstance(kind, str):
                added.type = _FIELD.TYPE_MESSAGE
                added.type_name = f".{_PACKAGE}.{kind}"
            else:
                added.type = kind
    # A pool of its own: a later stub package may bring the same file.
    pool = descriptor_pool.DescriptorPool()
    pool.Add(proto)
    return {
        name: message_factory.GetMessageClass(
            pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")
        )
        for name in messages
    }


def read_text(path: Path, message: Any, flag: str) -> Any:
    """Fills a message from a text-format file.

    Args:
        path: of the file.
        message: an empty message.
        flag: what named the file, for messages.

    Raises:
        ConfigError: the file cannot be read or is no such message.
    """
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), message)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{flag}: cannot read {path} ({error}); name a text file that the server's "
            "user may read"
        ) from error
    except text_format.ParseError as error:
        raise ConfigError(
            f"{flag}: {path} is no {type(message).DESCRIPTOR.name} in protobuf text "
            f"format ({_reason(error)}); mend the file"
        ) from error


def _reason(error: text_format.ParseError) -> str:
    """Returns where and what, without the file's content: it may hold a key."""
    line = error.GetLine()
    where = f"line {line}" if line else "unknown place"
    return f"{where}: not a known field with a value of its type"
