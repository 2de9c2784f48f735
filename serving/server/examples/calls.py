"""Classify, Regress and MultiInference of one loaded version."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import grpc
import tensorflow as tf

from serving.server.errors import ServingError, invalid
from serving.server.examples.classification import (
    check_classification,
    fill_classification,
)
from serving.server.examples.interface import INPUTS
from serving.server.examples.regression import check_regression, fill_regression
from serving.server.examples.serialized import serialized_examples
from serving.server.models.servable import Servable
from serving.server.models.signature import (
    CLASSIFY_METHOD,
    REGRESS_METHOD,
    Signature,
)
from serving.tensor_codec import Array


class _Method(NamedTuple):
    """Says how a signature is checked and where its outputs go."""

    check: Callable[[Signature, bool], None]
    fill: Callable[[Mapping[str, Array], int, Any], None]
    result: str
    """The field of an InferenceResult that `fill` writes."""


_CLASSIFY = _Method(check_classification, fill_classification, "classification_result")
_REGRESS = _Method(check_regression, fill_regression, "regression_result")
_METHODS = {CLASSIFY_METHOD: _CLASSIFY, REGRESS_METHOD: _REGRESS}


def asked_signature(model_spec: Any) -> str:
    """Returns the name of the signature that a ModelSpec asks for."""
    name: str = model_spec.signature_name
    return name or tf.saved_model.DEFAULT_SERVING_SIGNATURE_DEF_KEY


def classify(
    servable: Servable,
    request: Any,
    response: Any,
    check_method: bool,
    deadline: float | None = None,
) -> None:
    """Answers a ClassificationRequest.

    Raises:
        ServingError: the request does not fit the model, or the graph's error.
    """
    _run_one(servable, request, response, _CLASSIFY, check_method, deadline)


def regress(
    servable: Servable,
    request: Any,
    response: Any,
    check_method: bool,
    deadline: float | None = None,
) -> None:
    """Answers a RegressionRequest.

    Raises:
        ServingError: the request does not fit the model, or the graph's error.
    """
    _run_one(servable, request, response, _REGRESS, check_method, deadline)


def _run_one(
    servable: Servable,
    request: Any,
    response: Any,
    method: _Method,
    check_method: bool,
    deadline: float | None,
) -> None:
    name = asked_signature(request.model_spec)
    signature = _signature(servable, name, "No signature was found with the name")
    method.check(signature, check_method)
    examples = serialized_examples(request.input)
    outputs = servable.run(name, {INPUTS: examples}, deadline)
    method.fill(outputs, len(examples), response.result)
    _fill_spec(response.model_spec, servable, name)


def infer(servable: Servable, request: Any, response: Any, check_method: bool) -> None:
    """Answers a MultiInferenceRequest: all its tasks by one run of the graph.

    Raises:
        ServingError: the request does not fit the model, or the graph's error.
    """
    signatures = _tasks(servable, request.tasks, check_method)
    examples = serialized_examples(request.input)
    specs = [signature.outputs for signature in signatures]
    nodes = sorted({spec.node for outputs in specs for spec in outputs.values()})
    feeds = {signature.inputs[INPUTS].node: examples for signature in signatures}
    fetched = dict(zip(nodes, servable.fetch(feeds, nodes), strict=True))
    for task, signature in zip(request.tasks, signatures, strict=True):
        method = _METHODS[task.method_name]
        outputs = {name: fetched[s.node] for name, s in signature.outputs.items()}
        result = response.results.add()
        method.fill(outputs, len(examples), getattr(result, method.result))
        _fill_spec(result.model_spec, servable, signature.name)


def _tasks(servable: Servable, tasks: Any, check_method: bool) -> list[Signature]:
    """Returns the signatures of the tasks, checked in TF Serving's order."""
    signatures: dict[str, Signature] = {}
    for task in tasks:
        _check_model(task.model_spec.name, tasks[0].model_spec.name)
        name = asked_signature(task.model_spec)
        if name in signatures:
            raise invalid(f"Duplicate evaluation of signature: {name}")
        signature = _signature(
            servable, name, "Requested signature not found in model graph"
        )
        if task.method_name not in _METHODS:
            raise ServingError(
                grpc.StatusCode.UNIMPLEMENTED,
                f"Unsupported signature method_name: {task.method_name}",
            )
        _METHODS[task.method_name].check(signature, check_method)
        signatures[name] = signature
    _check_inputs(signatures)
    return list(signatures.values())


def _check_model(name: str, first: str) -> None:
    if not name:
        raise invalid("Found ModelSpec with an empty model name.")
    if name != first:
        raise invalid(
            "All ModelSpecs in a MultiInferenceRequest must access the same model name."
        )


def _check_inputs(signatures: Mapping[str, Signature]) -> None:
    """Checks that all tasks can be fed with the same examples.

    TF Serving wants one tensor; SavedModels of TensorFlow 2 have one for each
    signature, which are fed alike.
    """
    inputs = {signature.inputs[INPUTS] for signature in signatures.values()}
    if len(inputs) > 1 and not all(spec.kind.is_string for spec in inputs):
        raise invalid("Input tensor must be the same for all Signatures.")


def _signature(servable: Servable, name: str, rule: str) -> Signature:
    if name not in servable.signatures:
        raise invalid(f"{rule}: {name}")
    return servable.signatures[name]


def _fill_spec(spec: Any, servable: Servable, signature_name: str) -> None:
    spec.name = servable.model
    spec.version.value = servable.version
    spec.signature_name = signature_name
