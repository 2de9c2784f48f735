"""Words to items: what a text means, weighed with what its shopper likes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import tensorflow as tf

from tfrs_app.contract.signatures import (
    EXCLUDE,
    ITEM_ID,
    PERSONAL,
    QUERY,
    RELEVANCE,
    SCORE,
)
from tfrs_app.data.windows import TIMESTAMP
from tfrs_app.layers.grouping import NOTHING

if TYPE_CHECKING:
    from tfrs_app.export.recommender import Recommender

SEARCHED = 200
"""Items nearest to the words, among which a shopper's liking decides."""
WORD_SHARPNESS = 0.05
"""Difference of two cosines by which one item is e times likelier meant."""


def searched(
    recommender: Recommender, inputs: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Lists the items that words stand for, as the signature `search` says it."""
    assert recommender.texts is not None
    text, moment = inputs[QUERY], inputs[TIMESTAMP]
    asked = [tf.maximum(tf.size(text), tf.size(moment))]
    looked_up = recommender.looked_up(
        {**inputs, TIMESTAMP: tf.broadcast_to(moment, asked)}
    )
    batch = tf.shape(looked_up[TIMESTAMP])[0]
    text = tf.broadcast_to(text, [batch])
    width, within = recommender.places(inputs, batch)
    barred = recommender.allowed.barred(
        recommender.rows_of(inputs[EXCLUDE], batch), inputs, batch
    )
    row, cosine = recommender.texts.nearest(text, barred, tf.maximum(width, SEARCHED))
    personal = tf.broadcast_to(inputs[PERSONAL], [batch])[:, tf.newaxis]
    liking = personal * recommender.liking(looked_up, row)
    score = tf.where(row != NOTHING, cosine / WORD_SHARPNESS + liking, -math.inf)
    best = tf.math.top_k(score, width)
    row, relevance = (tf.gather(v, best.indices, batch_dims=1) for v in (row, cosine))
    real = within & (row != NOTHING) & (tf.strings.strip(text) != "")[:, tf.newaxis]
    return {
        ITEM_ID: tf.where(real, recommender.ids_of(row), ""),
        SCORE: tf.where(real, best.values, 0.0),
        RELEVANCE: tf.where(real, relevance, 0.0),
    }
