"""Messages that both protocols show: signatures and states of versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.server.models.registry import VersionStatus
from serving.server.models.servable import Servable


def signature_def_map(servable: Servable) -> Any:
    """Returns the SignatureDefMap message of a version."""
    message = get_model_metadata_pb2.SignatureDefMap()
    for name, definition in servable.signature_defs.items():
        message.signature_def[name].CopyFrom(definition)
    return message


def status_response(statuses: Iterable[VersionStatus]) -> Any:
    """Returns the GetModelStatusResponse message of some versions."""
    response = get_model_status_pb2.GetModelStatusResponse()
    for status in statuses:
        message = response.model_version_status.add()
        message.version = status.version
        message.state = int(status.state)
        message.status.error_code = status.code.value[0]
        message.status.error_message = status.message
    return response
