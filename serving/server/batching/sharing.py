"""Which requests may share a batch: those that the graph can't tell from one request.

They ask one signature and give the same inputs. What is left out is filled in once for
the batch, so it must be left out by all: an input's default may switch off a part of
the graph. Scalars count for the whole batch, so they must be equal. So must optional
inputs of any rank, like the `k` of our models, be it one number or one a row: they are
parameters that say how wide answers are.

Everything else is joined along its first dimension; the other dimensions must be equal,
or become so by padding. Padded are the inputs that may be left out, as our histories
and filters, to which blanks at the end make no difference; of a signature without such
inputs all are, as in TF Serving.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from serving.server.models.signature import Signature
from serving.tensor_codec import Array

PADDED = -1
"""Stands in keys for a size that padding makes equal."""


@dataclass(frozen=True)
class Sharing:
    """Tells what requests to one signature must have in common.

    Attributes:
        signature: name, part of every key.
        names: all inputs, in the signature's order.
        parameters: inputs that must be equal.
        padded: inputs whose other dimensions may differ.
        joinable: False if an input's first dimension is fixed: no batch can grow.
    """

    signature: str
    names: tuple[str, ...]
    parameters: frozenset[str]
    padded: frozenset[str]
    joinable: bool

    @classmethod
    def of(cls, signature: Signature, pad: bool) -> Sharing:
        """Returns the rules of a signature; `pad`: `pad_variable_length_inputs`."""
        shapes = {name: spec.shape for name, spec in signature.inputs.items()}
        optional = frozenset(signature.defaults)
        return cls(
            signature=signature.name,
            names=tuple(shapes),
            parameters=frozenset(n for n in optional if shapes[n] is None),
            padded=(optional or frozenset(shapes)) if pad else frozenset(),
            joinable=all(not shape or shape[0] is None for shape in shapes.values()),
        )

    def rows(self, inputs: Mapping[str, Array]) -> int:
        """Returns the size of a request: its greatest first dimension, 1 if none."""
        sizes = [len(array) for array in inputs.values() if array.ndim]
        if 0 in sizes:
            return 0
        return max(sizes, default=1)

    def key(self, inputs: Mapping[str, Array]) -> Hashable | None:
        """Returns what requests of one batch have in common; None: it runs alone.

        A request runs alone if its inputs differ in their first dimension (one row
        that serves all others) or have none.
        """
        parts: list[Hashable] = [self.signature]
        sizes: list[int] = []  # those that padding may change
        rows = -1
        for name in self.names:
            array = inputs.get(name)
            if array is None:
                continue
            shape = array.shape
            if not shape:
                parts.append((name, array.item()))
                continue
            if rows not in (-1, shape[0]):
                return None
            rows = shape[0]
            if name in self.parameters:
                parts.append((name, shape[1:], tuple(array.ravel().tolist())))
            elif name in self.padded and len(shape) > 1:
                # An input without elements stays so: blanks are not "left out".
                parts.append((name, *(PADDED if size else 0 for size in shape[1:])))
                sizes += filter(None, shape[1:])
            else:
                parts.append((name, shape[1:]))
        if rows < 0 or not self.joinable:
            return None
        return (*parts, _order(sizes))


def _order(sizes: list[int]) -> tuple[int, ...]:
    """Returns each size's place among the distinct sizes.

    Requests of one order keep it when each dimension grows to the greatest: what had to
    be equally long and was not is still not, so the graph still refuses it.
    """
    places = {size: place for place, size in enumerate(sorted(set(sizes)))}
    return tuple(places[size] for size in sizes)
