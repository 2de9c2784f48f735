"""Signatures of a SavedModel: what a request must hold and what an answer holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.server.errors import invalid
from serving.tensor_codec import Array, TensorType, decode, type_of_number

# Written by TensorFlow 2 for its loader; it has no tensors and answers no request.
INIT_OP_SIGNATURE = "__saved_model_init_op"


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

    @classmethod
    def from_proto(cls, name: str, proto: Any) -> Signature:
        """Reads a SignatureDef.

        Raises:
            TensorError: a tensor has a type that is not supported.
        """
        return cls(
            name=name,
            inputs={alias: _tensor(info) for alias, info in proto.inputs.items()},
            outputs={alias: _tensor(info) for alias, info in proto.outputs.items()},
            defaults={alias: decode(value) for alias, value in proto.defaults.items()},
        )

    def check_names(self, names: frozenset[str]) -> None:
        """Checks that a request's names are the inputs', defaults aside.

        Raises:
            ServingError: INVALID_ARGUMENT, naming what is extra and what is missing.
        """
        extra = names - self.inputs.keys()
        missing = self.inputs.keys() - names - self.defaults.keys()
        if extra or missing:
            raise invalid(
                f'input size does not match signature "{self.name}": got {len(names)} '
                f"inputs, expected {len(self.inputs)}. Sent extra: {_braced(extra)}. "
                f"Missing but required: {_braced(missing)}."
            )

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
        kind=type_of_number(info.dtype),
        shape=None
        if shape.unknown_rank
        else tuple(None if dim.size < 0 else dim.size for dim in shape.dim),
    )


def _fits(shape: tuple[int, ...], spec: tuple[int | None, ...]) -> bool:
    if len(shape) != len(spec):
        return False
    for size, expected in zip(shape, spec, strict=True):  # all() takes twice as long
        if expected is not None and size != expected:
            return False
    return True


def _braced(names: set[str] | frozenset[str]) -> str:
    return "{" + ", ".join(sorted(names)) + "}"
