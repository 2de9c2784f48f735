"""The message classes of tf.train.Example, without TensorFlow.

They are built from descriptors that repeat TensorFlow's `example.proto` and
`feature.proto` field by field, in a pool of their own, so that TensorFlow may be
imported in the same process.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "tensorflow"
_FIELD = descriptor_pb2.FieldDescriptorProto
_LISTS = (
    ("bytes_list", "BytesList", _FIELD.TYPE_BYTES),
    ("float_list", "FloatList", _FIELD.TYPE_FLOAT),
    ("int64_list", "Int64List", _FIELD.TYPE_INT64),
)


def features_in(example: bytes) -> Any:
    """Returns the features of a serialised Example, a mapping by name."""
    return Example.FromString(example).features.feature


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


(Example,) = _message_classes("Example")
