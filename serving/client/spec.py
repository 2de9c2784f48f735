"""What a model says of itself, and whether inputs fit it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.client.errors import InvalidRequest, WrongAnswer
from serving.client.tensors import to_array
from serving.tensor_codec import Array, TensorType


@dataclass(frozen=True)
class TensorSpec:
    """Describes a named input or output.

    Attributes:
        kind: element type.
        shape: None stands for any size; a `shape` of None for any rank.
    """

    kind: TensorType
    shape: tuple[int | None, ...] | None

    def fits(self, shape: tuple[int, ...]) -> bool:
        """Tells whether an array of this shape may stand here."""
        return self.shape is None or (
            len(shape) == len(self.shape)
            and all(
                expected in (None, size)
                for size, expected in zip(shape, self.shape, strict=True)
            )
        )

    def shown(self) -> str:
        """Returns the shape as messages show it, `?` for any size."""
        if self.shape is None:
            return "any shape"
        return f"[{', '.join('?' if s is None else str(s) for s in self.shape)}]"


@dataclass(frozen=True)
class Signature:
    """Describes a signature; some of the inputs may have defaults in the model."""

    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]


@dataclass(frozen=True)
class VersionStatus:
    """Tells a version's state: START, LOADING, AVAILABLE, UNLOADING or END."""

    version: int
    state: str
    error: str


def checked_inputs(
    name: str, signature: Signature, inputs: Mapping[str, Any]
) -> dict[str, Array]:
    """Returns inputs as arrays of their declared types.

    Which inputs may be left out only the server knows.

    Raises:
        InvalidRequest: names the input, what came and what is expected.
    """
    unknown = inputs.keys() - signature.inputs.keys()
    if unknown:
        raise InvalidRequest(
            f"signature {name!r} has no input {min(unknown)!r}; it has "
            f"{', '.join(sorted(signature.inputs))}"
        )
    arrays = {}
    for alias, value in inputs.items():
        spec = signature.inputs[alias]
        array = arrays[alias] = to_array(alias, value, spec.kind)
        if not spec.fits(array.shape):
            raise InvalidRequest(
                f"input {alias!r} has shape {list(array.shape)}, expected "
                f"{spec.shown()}"
            )
    return arrays


def checked_outputs(
    signature: Signature, outputs: Mapping[str, Array]
) -> dict[str, Array]:
    """Returns outputs, if they are those that the model declares.

    Raises:
        WrongAnswer: one is missing, of another type or of another shape.
    """
    for alias, spec in signature.outputs.items():
        if alias not in outputs:
            raise WrongAnswer(f"the answer lacks the output {alias!r}")
        array = outputs[alias]
        if array.dtype != spec.kind.dtype:
            raise WrongAnswer(
                f"output {alias!r} has {array.dtype}, declared is {spec.kind.name}"
            )
        if not spec.fits(array.shape):
            raise WrongAnswer(
                f"output {alias!r} has shape {list(array.shape)}, declared is "
                f"{spec.shown()}"
            )
    return {alias: outputs[alias] for alias in signature.outputs}
