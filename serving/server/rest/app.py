"""TF Serving's REST API as an ASGI application."""

from __future__ import annotations

import logging
import re
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from google.protobuf.json_format import MessageToDict
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from tensorflow_serving.apis import classification_pb2, regression_pb2

from serving.json_text import dumps
from serving.server.errors import ServingError
from serving.server.examples.calls import asked_signature, classify, regress
from serving.server.messages import signature_def_map, status_response
from serving.server.models.registry import ModelRegistry
from serving.server.models.servable import Servable
from serving.server.operations.health import Health
from serving.server.operations.observer import Call, Entrypoint, Observers
from serving.server.options import ServerOptions
from serving.server.rest.document import parse_document, signature_name_of
from serving.server.rest.examples_body import (
    encode_classification,
    encode_regression,
    to_input,
)
from serving.server.rest.path import Target, Verb, is_api_path, parse
from serving.server.rest.predict import Predictor

_LOG = logging.getLogger(__name__)

_API = {
    Verb.PREDICT: "Predict",
    Verb.CLASSIFY: "Classify",
    Verb.REGRESS: "Regress",
    Verb.METADATA: "GetModelMetadata",
    Verb.STATUS: "GetModelStatus",
}

# Named as Kubernetes names its own; TF Serving has neither.
_READINESS = "/readyz"
_PROBES = ("/livez", _READINESS)

_WITH_ORIGIN = re.compile(r"https?://")
_CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
_GZIP_WINDOW = zlib.MAX_WBITS | 16


class BodyTooLargeError(Exception):
    """Reports a body that inflates too far: 413, which gRPC has no code for."""


class RestApi:
    """Answers predict, metadata and status requests.

    A plain ASGI callable, since a router's own answers (405, redirects, decoded paths)
    are not TF Serving's.
    """

    def __init__(
        self,
        registry: ModelRegistry,
        observers: Observers,
        health: Health,
        options: ServerOptions,
    ) -> None:
        """Takes the models, who is told of each call, what tells readiness, choices."""
        self._registry = registry
        self._health = health
        self._observers = observers
        self._predictor = Predictor(
            registry, options.rest_timeout_s, options.protocol.check_method_name
        )
        self._protocol = options.protocol
        self._max_inflated_bytes = options.operations.limits.max_inflated_bytes
        self._timeout_s = options.rest_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one HTTP request."""
        request = Request(scope, receive)
        try:
            body = await request.body()  # its length is the HTTP protocol's to limit
            response = await self._answer(request, body)
        except ClientDisconnect:
            return
        except BodyTooLargeError as error:
            response = _error(413, str(error))
        if self._protocol.cors:
            response.headers.update(_CORS_HEADERS)
        await response(scope, receive, send)

    async def _answer(self, request: Request, body: bytes) -> Response:
        path = request.scope["raw_path"].decode("ascii", errors="replace")
        if path in _PROBES and request.method == "GET":
            return self._probe(path)
        if not is_api_path(path):
            return _error(404, f"Not Found: {request.method} {path}")
        if request.method == "OPTIONS":
            return _preflight(request)
        try:
            target = parse(request.method, path)
            if "gzip" in request.headers.get("content-encoding", "").lower():
                body = await run_in_threadpool(inflate, body, self._max_inflated_bytes)
            return _json(200, await self._content(request, target, body))
        except ServingError as error:
            return _error(error.http_status, error.message)
        except BodyTooLargeError:
            raise
        except Exception as error:  # one request's fault must not be silent, nor spread
            _LOG.exception("%s %s failed", request.method, path)
            return _error(500, type(error).__name__)

    def _probe(self, path: str) -> Response:
        trouble = self._health.trouble() if path == _READINESS else ""
        return _error(503, trouble) if trouble else _json(200, b"{}")

    async def _content(self, request: Request, target: Target, body: bytes) -> bytes:
        with self._observers.call(_API[target.verb], Entrypoint.REST) as call:
            call.model = target.model
            call.header = request.headers.get
            match target.verb:
                case Verb.PREDICT:
                    return await self._predictor.answer(target, body, call)
                case Verb.METADATA:
                    return await run_in_threadpool(self._metadata, target, call)
                case Verb.STATUS:
                    return self._status(target)
                case Verb.CLASSIFY | Verb.REGRESS:
                    return await run_in_threadpool(self._examples, target, body, call)

    @contextmanager
    def _leased(self, target: Target, call: Call) -> Iterator[Servable]:
        with self._registry.lease(
            target.model, target.version, target.label
        ) as servable:
            call.version = servable.version
            yield servable

    def _examples(self, target: Target, body: bytes, call: Call) -> bytes:
        document = parse_document(body)
        request = classification_pb2.ClassificationRequest()
        request.model_spec.signature_name = signature_name_of(document)
        request.input.CopyFrom(to_input(document))
        call.signature = asked_signature(request.model_spec)
        with self._leased(target, call) as servable, call.timed_run():
            check = self._protocol.check_method_name
            end = time.monotonic() + self._timeout_s
            if target.verb is Verb.CLASSIFY:
                classified = classification_pb2.ClassificationResponse()
                classify(servable, request, classified, check, end)
                return encode_classification(classified.result)
            regressed = regression_pb2.RegressionResponse()
            regress(servable, request, regressed, check, end)
            return encode_regression(regressed.result)

    def _metadata(self, target: Target, call: Call) -> bytes:
        with self._leased(target, call) as servable:
            document = {
                "model_spec": {
                    "name": servable.model,
                    "signature_name": "",
                    "version": str(servable.version),
                },
                "metadata": {"signature_def": _to_dict(signature_def_map(servable))},
            }
        return dumps(document, ())

    def _status(self, target: Target) -> bytes:
        statuses = self._registry.status(target.model, target.version)
        return dumps(_to_dict(status_response(statuses)), ())


def inflate(body: bytes, limit: int) -> bytes:
    """Returns an inflated gzip body, empty if it is not gzip, as TF Serving does.

    Raises:
        BodyTooLargeError: it would be longer than `limit`.
    """
    inflater = zlib.decompressobj(_GZIP_WINDOW)
    try:
        inflated = inflater.decompress(body, limit)
    except zlib.error:
        return b""
    if inflater.unconsumed_tail:
        raise BodyTooLargeError(
            f"the body inflates to over {limit} bytes; send fewer rows"
        )
    return inflated if inflater.eof else b""


def _preflight(request: Request) -> Response:
    if _WITH_ORIGIN.search(request.headers.get("origin", "")):
        return _json(200, b"")
    return _error(400, "Origin header is missing in CORS preflight")


def _to_dict(message: Any) -> dict[str, Any]:
    document: dict[str, Any] = MessageToDict(
        message,
        preserving_proto_field_name=True,
        always_print_fields_with_no_presence=True,
    )
    return document


def _error(status: int, message: str) -> Response:
    # Names out of a body may hold bytes that were no UTF-8.
    text = message.encode(errors="surrogateescape").decode(errors="replace")
    return _json(status, dumps({"error": text}, ()))


def _json(status: int, content: bytes) -> Response:
    return Response(content, status, media_type="application/json")
