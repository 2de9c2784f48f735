"""The one tensor that Classify, Regress and MultiInference feed."""

from __future__ import annotations

from typing import Any

from serving.server.errors import invalid
from serving.tensor_codec import Array, string_array


def serialized_examples(message: Any) -> Array:
    """Returns an Input message's examples as byte strings, `[examples]`.

    A context's bytes go in front of each example's: a parser merges the two, since
    serialized messages of one type may be joined.

    Raises:
        ServingError: INVALID_ARGUMENT without examples.
    """
    kind = message.WhichOneof("kind")
    examples = getattr(message, kind).examples if kind else ()
    if not examples:
        raise invalid("Input is empty.")
    context = b""
    if kind == "example_list_with_context":
        context = message.example_list_with_context.context.SerializeToString()
    return string_array([context + e.SerializeToString() for e in examples])
