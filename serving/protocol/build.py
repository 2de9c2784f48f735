"""Writes the descriptors that `messages.py` reads: python -m serving.protocol.build.

Needs the package tensorflow-serving-api, of which they are a copy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    predict_pb2,
)

DESCRIPTORS = Path(__file__).with_name("tensorflow_serving.binpb")

_MODULES = (get_model_metadata_pb2, get_model_status_pb2, predict_pb2)


def serialized() -> bytes:
    """Returns a FileDescriptorSet; each file comes after those that it imports."""
    ordered: dict[str, Any] = {}
    for module in _MODULES:
        _add(module.DESCRIPTOR, ordered)
    files = FileDescriptorSet()
    for descriptor in ordered.values():
        descriptor.CopyToProto(files.file.add())
    content: bytes = files.SerializeToString(deterministic=True)
    return content


def _add(descriptor: Any, ordered: dict[str, Any]) -> None:
    if descriptor.name in ordered:
        return
    for dependency in descriptor.dependencies:
        _add(dependency, ordered)
    ordered[descriptor.name] = descriptor


if __name__ == "__main__":
    DESCRIPTORS.write_bytes(serialized())
