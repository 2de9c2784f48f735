"""Signatures of a SavedModel: what a request must hold and what an answer holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import grpc
import numpy as np
from tensorflow.core.framework import types_pb2

from serving.server.errors import ServingError, invalid
from serving.tensor_codec import (
    Array,
    TensorError,
    TensorType,
    decode,
    type_of_number,
)

# Written by TensorFlow 2 for its loader; it has no tensors and answers no request.
INIT_OP_SIGNATURE = "__saved_model_init_op"

PREDICT_METHOD = "tensorflow/serving/predict"
CLASSIFY_METHOD = "tensorflow/serving/classify"
REGRESS_METHOD = "tensorflow/serving/regress"


@dataclass(frozen=True)
class TensorSpec:
    """Describes one named input or output.

    Attributes:
        node: the tensor's name in the graph.
        kind: element type.
        shape: None stands for any size; a `shape` of None for any rank.
    """

    node: str
    kind: TensorType
    shape: tuple[int | None, ...] | None

    def check(self, name: str, array: Array) -> None:
        """Checks dtype and shape of a value for this input.

        Raises:
            ServingError: INVALID_ARGUMENT, naming the input, what came and the rule.
        """
        if array.dtype != self.kind.dtype:
            raise invalid(
                f'input "{name}" has dtype {array.dtype}, expected {self.kind.name}'
            )
        if self.shape is not None and not _fits(array.shape, self.shape):
            raise invalid(
                f'input "{name}" has shape {list(array.shape)}, expected '
                f"[{', '.join('?' if s is None else str(s) for s in self.shape)}]"
            )


@dataclass(frozen=True)
class Signature:
    """Describes one signature; inputs with a default may be left out."""

    name: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    defaults: Mapping[str, Array]
    method_name: str = PREDICT_METHOD

    @classmethod
    def from_proto(
        cls, name: str, proto: Any, placeholders: frozenset[str] | None = None
    ) -> Signature:
        """Reads a SignatureDef.

        Args:
            name: the signature's.
            proto: the SignatureDef.
            placeholders: names of the graph's. The shape of any other tensor that an
                input is fed into is inferred, no rule for requests: every shape fits.
                None takes all for placeholders.

        Raises:
            TensorError: a default's type is not supported.
        """
        inputs = {alias: _tensor(info) for alias, info in proto.inputs.items()}
        for alias, spec in inputs.items():
            if placeholders is not None and _op(spec.node) not in placeholders:
                inputs[alias] = replace(spec, shape=None)
        return cls(
            name=name,
            inputs=inputs,
            outputs={alias: _tensor(info) for alias, info in proto.outputs.items()},
            defaults={alias: decode(value) for alias, value in proto.defaults.items()},
            method_name=proto.method_name,
        )

    def check_method(self, check: bool) -> None:
        """Checks the method name as TF Serving does when told to.

        Raises:
            ServingError: INTERNAL, as TF Serving.
        """
        methods = (PREDICT_METHOD, CLASSIFY_METHOD, REGRESS_METHOD)
        if check and self.method_name not in methods:
            raise ServingError(
                grpc.StatusCode.INTERNAL,
                "Expected prediction signature method_name to be one of "
                f"{_braced(frozenset(methods))}. Was: {self.method_name}",
            )

    def check_names(self, names: frozenset[str]) -> None:
        """Checks that a request's names are the inputs', defaults aside.

        Raises:
            ServingError: INVALID_ARGUMENT, naming what is extra and what is missing.
        """
        extra = names - self.inputs.keys()
        missing = self.inputs.keys() - names - self.defaults.keys()
        if extra or missing:
            expected = frozenset(self.inputs)
            raise invalid(
                f"input size does not match signature: {len(names)}!={len(expected)} "
                f"len({_braced(names)}) != len({_braced(expected)}). Sent extra: "
                f"{_braced(extra)}. Missing but required: {_braced(missing)}."
            )

    def check_outputs(self, names: Sequence[str]) -> None:
        """Checks the aliases of an output filter.

        Raises:
            ServingError: INVALID_ARGUMENT for an unknown or repeated one.
        """
        for place, name in enumerate(names):
            if name not in self.outputs:
                raise invalid(
                    f"output tensor alias not found in signature: {name} Outputs "
                    "expected to be in the set "
                    f"{_braced(frozenset(self.outputs))}."
                )
            if name in names[:place]:
                raise invalid(f"duplicate output tensor alias: {name}")

    def check(self, inputs: Mapping[str, Array]) -> None:
        """Checks a request's values.

        Raises:
            ServingError: INVALID_ARGUMENT for a wrong name, dtype or shape.
        """
        self.check_names(frozenset(inputs))
        for name, array in inputs.items():
            self.inputs[name].check(name, array)

    def completed(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Returns the values of all inputs in the signature's order.

        Args:
            inputs: checked; what is left out gets its default.
        """
        return [
            inputs[name] if name in inputs else self.defaults[name]
            for name in self.inputs
        ]


def _tensor(info: Any) -> TensorSpec:
    shape = info.tensor_shape
    return TensorSpec(
        node=info.name,
        kind=_kind(info.dtype),
        shape=None
        if shape.unknown_rank
        else tuple(None if dim.size < 0 else dim.size for dim in shape.dim),
    )


def _kind(number: int) -> TensorType:
    """Returns a type, also one that no codec knows: others of the model are served."""
    try:
        return type_of_number(number)
    except TensorError:
        name = types_pb2.DataType.Name(number).removeprefix("DT_").lower()
        return TensorType(number, name, np.dtype(np.void), field="")


def _op(node: str) -> str:
    return node.partition(":")[0]


def _fits(shape: tuple[int, ...], spec: tuple[int | None, ...]) -> bool:
    if len(shape) != len(spec):
        return False
    for size, expected in zip(shape, spec, strict=True):  # all() takes twice as long
        if expected is not None and size != expected:
            return False
    return True


def _braced(names: set[str] | frozenset[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
