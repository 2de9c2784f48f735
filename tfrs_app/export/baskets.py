"""What goes with a basket: items that others buy with those it holds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import tensorflow as tf

from tfrs_app.contract.signatures import BASKET, EXCLUDE, ITEM_ID, LIFT
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.models.candidate_sources import allowed_by

if TYPE_CHECKING:
    from tfrs_app.export.ranked_recommender import RankedRecommender


def completed(
    recommender: RankedRecommender, inputs: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Lists complements, as the signature `complete_basket` says it."""
    basket = recommender.rows.lookup(inputs[BASKET])  # [batch, n]
    batch = tf.shape(basket)[0]
    width, within = recommender.places(inputs, batch)
    real = tf.cast(basket != NOTHING, tf.float32)
    partner, lift = recommender.funnel.state.partners_of(basket, real)
    items = tf.maximum(tf.reduce_sum(real, axis=1, keepdims=True), 1.0)
    excluded = tf.concat([recommender.rows_of(inputs[EXCLUDE], batch), basket], axis=1)
    allow = allowed_by(recommender.allowed.barred(excluded, inputs, batch))
    allowed = (partner != NOTHING) & allow(partner)
    if recommender.kinds is not None:
        allowed &= ~_of_one_kind(partner, basket, recommender.kinds)
    lift = tf.where(allowed, lift / items, -math.inf)
    missing = tf.maximum(width - tf.shape(lift)[1], 0)
    more = [[0, 0], [0, missing]]
    best = tf.math.top_k(tf.pad(lift, more, constant_values=-math.inf), width)
    row = tf.gather(tf.pad(partner, more), best.indices, batch_dims=1)
    listed = within & (best.values > -math.inf)
    return {
        ITEM_ID: tf.where(listed, recommender.ids_of(row), ""),
        LIFT: tf.where(listed, best.values, 0.0),
    }


def _of_one_kind(row: tf.Tensor, basket: tf.Tensor, kinds: tf.Tensor) -> tf.Tensor:
    """Returns which items are of a kind that a basket has, bool `[batch, n]`."""
    had = tf.gather(kinds, tf.maximum(basket, 0))
    had = tf.where(basket != NOTHING, had, NOTHING)
    kind = tf.gather(kinds, tf.maximum(row, 0))[:, :, tf.newaxis]
    same = (kind == had[:, tf.newaxis, :]) & (kind != NOTHING)
    return tf.reduce_any(same, axis=2)
