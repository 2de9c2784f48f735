"""Regress: which signatures it can call and what it makes of their outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from serving.server.errors import invalid
from serving.server.examples.interface import check_interface, precondition
from serving.server.models.signature import REGRESS_METHOD, Signature
from serving.tensor_codec import Array

OUTPUTS = "outputs"


def check_regression(signature: Signature, check_method: bool) -> None:
    """Checks that a signature regresses examples.

    Raises:
        ServingError: INVALID_ARGUMENT or FAILED_PRECONDITION, as TF Serving.
    """
    check_interface(signature, REGRESS_METHOD, "regression", check_method)
    if len(signature.outputs) != 1:
        raise invalid("Expected one output Tensor.")
    if OUTPUTS not in signature.outputs:
        raise precondition(
            f"No regression outputs found in SignatureDef: {signature.name} has the "
            f"output {next(iter(signature.outputs))}, not {OUTPUTS}"
        )


def fill_regression(outputs: Mapping[str, Array], count: int, result: Any) -> None:
    """Writes values, `[count]` or `[count, 1]`, into a RegressionResult.

    Raises:
        ServingError: INVALID_ARGUMENT if the output has another shape or type.
    """
    values = outputs[OUTPUTS]
    if values.shape[1:] not in ((), (1,)) or values.ndim == 0:
        raise invalid(
            "Expected output Tensor shape to be either [batch_size] or "
            f"[batch_size, 1] but got {list(values.shape)}"
        )
    if len(values) != count:
        raise invalid(
            f"Input batch size did not match output batch size: {count} vs. "
            f"{len(values)}"
        )
    if values.dtype != np.float32:
        raise invalid(f"Expected output Tensor of DT_FLOAT.  Got: {values.dtype}")
    for value in values.ravel().tolist():
        result.regressions.add().value = value
