"""The parts of TensorFlow Serving's PredictionLog that an impression needs.

Declared here by field numbers, which never change: the published message classes import
TensorFlow, which takes seconds and half a gigabyte in each worker. Fields that are not
declared are skipped.

https://github.com/tensorflow/serving/blob/2.20.0/tensorflow_serving/apis/prediction_log.proto
"""

from __future__ import annotations

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_FIELD = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "tfrs_app.logged"
_INT64, _STRING, _BYTES = _FIELD.TYPE_INT64, _FIELD.TYPE_STRING, _FIELD.TYPE_BYTES

# Message -> field -> number, type or message, whether it is repeated.
_MESSAGES: dict[str, dict[str, tuple[int, int | str, bool]]] = {
    "PredictionLog": {
        "log_metadata": (1, "LogMetadata", False),
        "predict_log": (6, "PredictLog", False),
    },
    "LogMetadata": {
        "model_spec": (1, "ModelSpec", False),
        "sampling_config": (2, "SamplingConfig", False),
        "timestamp_secs": (4, _INT64, False),
        "request_origin": (6, _STRING, False),
    },
    "ModelSpec": {
        "name": (1, _STRING, False),
        "version": (2, "Int64Value", False),
        "signature_name": (3, _STRING, False),
    },
    "Int64Value": {"value": (1, _INT64, False)},
    "SamplingConfig": {"sampling_rate": (1, _FIELD.TYPE_DOUBLE, False)},
    "PredictLog": {"response": (2, "PredictResponse", False)},
    "PredictResponse": {"outputs": (1, "Output", True)},
    "Output": {"key": (1, _STRING, False), "value": (2, "Tensor", False)},
    "Tensor": {
        "tensor_shape": (2, "Shape", False),
        "string_val": (8, _BYTES, True),
    },
    "Shape": {"dim": (2, "Dim", True)},
    "Dim": {"size": (1, _INT64, False)},
}


def _message_class(wanted: str) -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="tfrs_app/logged.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind, repeated) in fields.items():
            label = _FIELD.LABEL_REPEATED if repeated else _FIELD.LABEL_OPTIONAL
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type = _FIELD.TYPE_MESSAGE
                added.type_name = f".{_PACKAGE}.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"{_PACKAGE}.{wanted}")
    return message_factory.GetMessageClass(found)


PREDICTION_LOG = _message_class("PredictionLog")
