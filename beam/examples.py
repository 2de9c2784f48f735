"""Serialises tf.train.Example without TensorFlow.

The message classes are built from descriptors that repeat TensorFlow's
`example.proto` and `feature.proto` field by field, in a pool of their own, so that
TensorFlow may be imported in the same process.

An Example is assembled of entries, one a feature: concatenated messages are one merged
message (https://protobuf.dev/programming-guides/encoding/#last-one-wins), so an entry
that many rows share is serialised once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "tensorflow"
_FIELD = descriptor_pb2.FieldDescriptorProto
_LISTS = (
    ("bytes_list", "BytesList", _FIELD.TYPE_BYTES),
    ("float_list", "FloatList", _FIELD.TYPE_FLOAT),
    ("int64_list", "Int64List", _FIELD.TYPE_INT64),
)
_FEATURES_TAG = b"\x0a"  # field 1 of Example, length-delimited
_FIRST, _SECOND, _THIRD = b"\x0a", b"\x12", b"\x1a"  # fields 1 to 3, likewise
_LIST_TAGS = {"bytes_list": _FIRST, "float_list": _SECOND, "int64_list": _THIRD}


def text_entry(name: str, values: Iterable[bytes]) -> bytes:
    """Returns the serialised feature that holds a bytes list."""
    features = _Features()
    features.feature[name].bytes_list.value.extend(values)
    return bytes(features.SerializeToString())


def number_entry(name: str, values: Iterable[float]) -> bytes:
    """Returns the serialised feature that holds a float list."""
    features = _Features()
    features.feature[name].float_list.value.extend(values)
    return bytes(features.SerializeToString())


def integer_entry(name: str, values: Iterable[int]) -> bytes:
    """Returns the serialised feature that holds an int64 list."""
    features = _Features()
    features.feature[name].int64_list.value.extend(values)
    return bytes(features.SerializeToString())


def example_of(entries: Mapping[str, bytes]) -> bytes:
    """Returns the Example of serialised features, in the order of their names."""
    return example(b"".join(entries[name] for name in sorted(entries)))


def features_in(example: bytes) -> Any:
    """Returns the features of a serialised Example, a mapping by name."""
    return _Example.FromString(example).features.feature


def example(features: bytes) -> bytes:
    """Returns the Example of joined serialised features."""
    return _FEATURES_TAG + varint(len(features)) + features


def varint(value: int) -> bytes:
    """Returns a non-negative integer in base 128, as protobuf writes it."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def text_value(value: bytes) -> bytes:
    """Returns one value as it stands in a bytes list."""
    return _FIRST + varint(len(value)) + value


def integer_value(value: int) -> bytes:
    """Returns one value as it stands in an int64 list."""
    return varint(value & 0xFFFF_FFFF_FFFF_FFFF)  # two's complement


def entry_head(name: str, kind: str, size: int) -> bytes:
    """Returns what stands before a feature's values.

    Args:
        name: of the feature.
        kind: `bytes_list`, `float_list` or `int64_list`.
        size: length of the joined serialised values in bytes.
    """
    packed = b"" if kind == "bytes_list" else _FIRST + varint(size)
    values = _LIST_TAGS[kind] + varint(len(packed) + size) + packed
    feature = _SECOND + varint(len(values) + size) + values
    key = _FIRST + varint(len(name)) + name.encode()
    return _FIRST + varint(len(key) + len(feature) + size) + key + feature


def _file_descriptor() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="example.proto", package=_PACKAGE, syntax="proto3"
    )
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (field, kind, of) in enumerate(_LISTS, start=1):
        message = file.message_type.add(name=kind)
        message.field.add(name="value", number=1, type=of, label=_FIELD.LABEL_REPEATED)
        _message_field(feature, field, number, kind, oneof_index=0)
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    key = {"type": _FIELD.TYPE_STRING, "label": _FIELD.LABEL_OPTIONAL}
    entry.field.add(name="key", number=1, **key)
    _message_field(entry, "value", 2, "Feature")
    repeated = {"label": _FIELD.LABEL_REPEATED}
    _message_field(features, "feature", 1, "Features.FeatureEntry", **repeated)
    example = file.message_type.add(name="Example")
    _message_field(example, "features", 1, "Features")
    return file


def _message_field(
    message: Any, name: str, number: int, kind: str, **options: Any
) -> None:
    message.field.add(
        name=name,
        number=number,
        type=_FIELD.TYPE_MESSAGE,
        type_name=f".{_PACKAGE}.{kind}",
        **{"label": _FIELD.LABEL_OPTIONAL, **options},
    )


def _message_classes(*names: str) -> list[Any]:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(_file_descriptor())
    descriptors = [pool.FindMessageTypeByName(f"{_PACKAGE}.{name}") for name in names]
    return [message_factory.GetMessageClass(descriptor) for descriptor in descriptors]


_Features, _Example = _message_classes("Features", "Example")
