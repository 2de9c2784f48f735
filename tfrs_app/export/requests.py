"""The raw inputs of a request: tensors, defaults, and how gaps are filled."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from tfrs_app.contract.features import (
    BUILT_IN,
    HISTORY_EVENT_TYPE,
    HISTORY_ITEM_ID,
    HISTORY_TIMESTAMP,
    Feature,
    FeatureSpec,
    Kind,
    Role,
)
from tfrs_app.contract.signatures import EXCLUDE, PERSONAL, QUERY, K
from tfrs_app.data.windows import TIMESTAMP

DEFAULT_K = 10
HISTORY_STRINGS = tuple(f.name for f in BUILT_IN if f.kind is Kind.ID_SEQUENCE)
NOW = 0
"""Value of `timestamp` that stands for the server's clock."""


@dataclass(frozen=True)
class Input:
    """Describes one input of a signature; without a default it is required."""

    spec: tf.TensorSpec
    default: Any = inspect.Parameter.empty


def _sequence(name: str, dtype: tf.DType) -> Input:
    return Input(tf.TensorSpec([None, None], dtype, name), tf.zeros([1, 0], dtype))


LISTING_INPUTS = {
    EXCLUDE: _sequence(EXCLUDE, tf.string),
    K: Input(tf.TensorSpec(None, tf.int32, K), tf.constant(DEFAULT_K)),
}
"""How long a list is and what it must not hold."""

SEARCH_INPUTS = {
    QUERY: Input(tf.TensorSpec([None], tf.string, QUERY)),
    PERSONAL: Input(tf.TensorSpec([None], tf.float32, PERSONAL), tf.constant([0.5])),
}
"""What was typed, and how much the shopper's own liking counts beside it."""


def query_inputs(spec: FeatureSpec) -> dict[str, Input]:
    """Returns the inputs that describe a user at a moment, all of them optional."""
    features = (*spec.of(Role.QUERY), *spec.of(Role.CONTEXT))
    moment = tf.TensorSpec([None], tf.int64, TIMESTAMP)
    return {
        **{name: _sequence(name, tf.string) for name in HISTORY_STRINGS},
        HISTORY_TIMESTAMP: _sequence(HISTORY_TIMESTAMP, tf.int64),
        TIMESTAMP: Input(moment, tf.constant([NOW], tf.int64)),
        **{f.name: _scalar(f) for f in features if f.kind is not Kind.TIMESTAMP},
    }


def _scalar(feature: Feature) -> Input:
    """Returns the input of a profile or context feature; by default it is missing."""
    if feature.kind.is_string:
        return Input(tf.TensorSpec([None], tf.string, feature.name), tf.constant([""]))
    missing = tf.constant([float("nan")])
    return Input(tf.TensorSpec([None], tf.float32, feature.name), missing)


def complete_query(
    inputs: Mapping[str, tf.Tensor], spec: FeatureSpec
) -> dict[str, tf.Tensor]:
    """Fills what a client left out and gives all inputs the same first dimension.

    Without types the history consists of the weightiest type; without timestamps it
    happened just now; timestamp 0 is now.
    """
    batch = tf.reduce_max(tf.stack([tf.shape(v)[0] for v in inputs.values()]))
    # An empty batch beside defaults of one row is still an empty batch.
    smallest = tf.reduce_min(tf.stack([tf.shape(v)[0] for v in inputs.values()]))
    batch = tf.where(smallest == 0, 0, batch)
    filled = {
        name: tf.broadcast_to(v, tf.concat([[batch], tf.shape(v)[1:]], axis=0))
        for name, v in inputs.items()
    }
    now = tf.cast(tf.timestamp(), tf.int64)
    moment = tf.where(filled[TIMESTAMP] == NOW, now, filled[TIMESTAMP])
    shape = tf.shape(filled[HISTORY_ITEM_ID])
    weightiest = max(spec.event_weights, key=lambda name: spec.event_weights[name])
    return {
        **filled,
        TIMESTAMP: moment,
        HISTORY_EVENT_TYPE: _or_constant(
            filled[HISTORY_EVENT_TYPE], tf.fill(shape, weightiest)
        ),
        HISTORY_TIMESTAMP: _or_constant(
            filled[HISTORY_TIMESTAMP], tf.broadcast_to(moment[:, tf.newaxis], shape)
        ),
    }


def _or_constant(sequence: tf.Tensor, instead: tf.Tensor) -> tf.Tensor:
    """Returns `[batch, length]` values, those of `instead` where none were sent."""
    length = tf.shape(sequence)[1]
    message = "history sequences must have the same length as history_item_id"
    fits = tf.debugging.Assert(
        (length == 0) | (length == tf.shape(instead)[1]), [message, length]
    )
    with tf.control_dependencies([fits]):
        return tf.cond(length == 0, lambda: instead, lambda: sequence)


def keep_most_recent(
    query: Mapping[str, tf.Tensor], length: int
) -> dict[str, tf.Tensor]:
    """Gives histories the form of training: `length` events, padded in front.

    Clients may pad on either side, and send more or less than that.
    """
    ids = query[HISTORY_ITEM_ID]
    # A stable sort by "is an event" moves padding to the front and keeps the order.
    order = tf.argsort(tf.cast(ids != "", tf.int32), axis=1, stable=True)
    order = order[:, -length:]
    missing = length - tf.shape(order)[1]
    names = (*HISTORY_STRINGS, HISTORY_TIMESTAMP)
    sorted_sequences = {
        name: tf.gather(query[name], order, axis=1, batch_dims=1) for name in names
    }
    return {**query} | {
        name: tf.reshape(
            tf.concat([tf.zeros([tf.shape(v)[0], missing], v.dtype), v], axis=1),
            [-1, length],
        )
        for name, v in sorted_sequences.items()
    }


def named_signature(
    answer: Callable[[Mapping[str, tf.Tensor]], dict[str, tf.Tensor]],
    inputs: Mapping[str, Input],
) -> Callable[..., Any]:
    """Gives a function over a dict the named, defaulted parameters of a signature.

    TensorFlow writes the defaults of Python parameters into `SignatureDef.defaults`,
    which TF Serving fills in for inputs that a client omits.
    """
    signature = inspect.Signature(
        [
            inspect.Parameter(
                name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=value.default
            )
            for name, value in inputs.items()
        ]
    )

    def call(*args: tf.Tensor, **kwargs: tf.Tensor) -> dict[str, tf.Tensor]:
        return answer(signature.bind(*args, **kwargs).arguments)

    call.__signature__ = signature  # type: ignore[attr-defined]
    specs = [value.spec for value in inputs.values()]
    # All control flow is TensorFlow's own, so there is no Python to translate.
    function: Callable[..., Any] = tf.function(
        call, input_signature=specs, autograph=False
    )
    return function
