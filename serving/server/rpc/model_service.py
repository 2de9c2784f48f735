"""TF Serving's ModelService: states of versions, and other models to serve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import grpc
from tensorflow_serving.apis import model_management_pb2, model_service_pb2_grpc

from serving.server.configs.model_server import model_configs
from serving.server.errors import ServingError, invalid
from serving.server.messages import status_response
from serving.server.models.model_config import ModelConfig
from serving.server.models.registry import ModelRegistry
from serving.server.operations.observer import Call, Observers
from serving.server.rpc.answering import answered
from serving.server.rpc.model_spec import check_model_spec, version_of
from tfrs_app.contract.errors import UserError

Reload = Callable[[Mapping[str, ModelConfig]], None]


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Answers GetModelStatus and HandleReloadConfigRequest."""

    def __init__(
        self, registry: ModelRegistry, observers: Observers, reload: Reload | None
    ) -> None:
        """Takes the models, who is told of each call, and what replaces the models.

        A `reload` of None refuses it: whoever may reload chooses the code that runs.
        """
        self._registry = registry
        self._reload = reload
        self.observers = observers

    @answered
    def GetModelStatus(self, request: Any, call: Call) -> Any:  # noqa: N802
        """Returns the states of a model's versions; a label is not looked at."""
        check_model_spec(request)
        spec = request.model_spec
        call.model = spec.name
        statuses = self._registry.status(spec.name, version_of(spec))
        return status_response(statuses)

    @answered
    def HandleReloadConfigRequest(self, request: Any, _call: Call) -> Any:  # noqa: N802
        """Serves other models; returns when the new ones are available."""
        if self._reload is None:
            raise ServingError(
                grpc.StatusCode.PERMISSION_DENIED,
                "this server takes no models over gRPC: change its "
                "--model_config_file, or start it with one worker and "
                "--enable_reload_rpc",
            )
        try:
            models = model_configs(request.config)
        except UserError as error:
            raise invalid(str(error)) from error
        self._reload(models)
        return model_management_pb2.ReloadConfigResponse()
