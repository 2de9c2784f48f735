"""Classify: which signatures it can call and what it makes of their outputs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

import numpy as np

from serving.server.errors import invalid
from serving.server.examples.interface import check_interface, precondition
from serving.server.models.signature import CLASSIFY_METHOD, Signature
from serving.tensor_codec import Array

CLASSES, SCORES = "classes", "scores"
_MOST_OUTPUTS = 2


def check_classification(signature: Signature, check_method: bool) -> None:
    """Checks that a signature classifies examples.

    Raises:
        ServingError: INVALID_ARGUMENT or FAILED_PRECONDITION, as TF Serving.
    """
    check_interface(signature, CLASSIFY_METHOD, "classification", check_method)
    if not 1 <= len(signature.outputs) <= _MOST_OUTPUTS:
        raise invalid(
            f"Expected one or two output Tensors, found {len(signature.outputs)}"
        )
    if not {CLASSES, SCORES} & signature.outputs.keys():
        raise precondition(
            "Expected classification signature outputs to contain at least one of "
            f'"{CLASSES}" or "{SCORES}". Signature was: {signature.name}'
        )


def fill_classification(outputs: Mapping[str, Array], count: int, result: Any) -> None:
    """Writes classes and scores, `[count, classes]`, into a ClassificationResult.

    Labels that are not UTF-8 get replacement characters: the message holds text.

    Raises:
        ServingError: INVALID_ARGUMENT if the outputs have another shape or type.
    """
    classes, scores = outputs.get(CLASSES), outputs.get(SCORES)
    if classes is not None:
        _check(CLASSES, classes, count, np.dtype(object), "STRING")
    if scores is not None:
        _check(SCORES, scores, count, np.dtype(np.float32), "FLOAT")
    if classes is not None and scores is not None and classes.shape != scores.shape:
        raise invalid(
            "Tensors class and score should match in dim_size(1). Got "
            f"{classes.shape[1]} vs. {scores.shape[1]}"
        )
    for row in range(count):
        message = result.classifications.add()
        labels = [] if classes is None else classes[row].tolist()
        values = [] if scores is None else scores[row].tolist()
        for label, score in zip_longest(labels, values):
            entry = message.classes.add()
            if label is not None:
                entry.label = label.decode(errors="replace")
            if score is not None:
                entry.score = score


def _check(
    name: str, array: Array, count: int, dtype: np.dtype[Any], type_name: str
) -> None:
    if array.ndim != 2:
        raise invalid(
            "Expected Tensor shape: [batch_size num_classes] but got "
            f"{list(array.shape)}"
        )
    if array.dtype != dtype:
        raise invalid(f"Expected {name} Tensor of DT_{type_name}. Got: {array.dtype}")
    if len(array) != count:
        raise invalid(
            f"Expected {name} output batch size of {count}. Got: {len(array)}"
        )
