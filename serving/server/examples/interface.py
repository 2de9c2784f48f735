"""What signatures of Classify and Regress have in common."""

from __future__ import annotations

import grpc

from serving.server.errors import ServingError, invalid
from serving.server.models.signature import Signature

INPUTS = "inputs"


def check_interface(
    signature: Signature, method: str, word: str, check_method: bool
) -> None:
    """Checks that a signature takes examples, and perhaps that it is meant for a call.

    Args:
        signature: the one called.
        method: the method name that the call has.
        word: what the call is named in errors.
        check_method: hold the signature's method name against `method`; TF Serving
            does so with `--enable_signature_method_name_check`.

    Raises:
        ServingError: INVALID_ARGUMENT or FAILED_PRECONDITION, as TF Serving.
    """
    if check_method and signature.method_name != method:
        raise invalid(
            f"Expected {word} signature method_name to be {method}. Was: "
            f"{signature.method_name}"
        )
    if len(signature.inputs) != 1:
        raise invalid("Expected one input Tensor.")
    if INPUTS not in signature.inputs:
        raise precondition(
            f"No {word} inputs found in SignatureDef: {signature.name} has the input "
            f"{next(iter(signature.inputs))}, not {INPUTS}"
        )


def precondition(message: str) -> ServingError:
    """Returns an error for a call that this model can never answer."""
    return ServingError(grpc.StatusCode.FAILED_PRECONDITION, message)
