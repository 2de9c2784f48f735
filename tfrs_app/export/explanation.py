"""Why an item is listed, or why not: what became of it, and who is to thank for it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import tensorflow as tf

from tfrs_app.contract.features import HISTORY_ITEM_ID
from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.contract.signatures import (
    DIVERSITY,
    EFFECT,
    FATE,
    ITEM_ID,
    LEFT_OUT_ITEM,
    PLACE,
    PROBABILITY,
    RANK_OF,
    REASON,
    RETRIEVAL_RANK,
    SCORE,
    SOURCES_TOLD,
    K,
)
from tfrs_app.export.requests import keep_most_recent
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.models.funnel import Described

if TYPE_CHECKING:
    from tfrs_app.export.ranked_recommender import RankedRecommender, Run

LEFT_OUT = 20
"""Newest events whose items are left out, one at a time."""

FATES = (
    "unknown",
    "gone",
    "excluded",
    "filtered",
    "not_proposed",
    "listed",
    "made_way",
    "outranked",
)
"""What may become of an item, in the order of the stages; the first that is true."""


def without_each(
    query: Mapping[str, tf.Tensor],
) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
    """Leaves each of the newest items out of raw histories, with all its events.

    Args:
        query: raw inputs, `[batch, ...]` each, histories padded in front.

    Returns:
        The items that are left out, strings `[batch, LEFT_OUT]`, newest first, the
        empty text behind the last; and queries `[batch * LEFT_OUT, ...]` without them.
    """
    ids = query[HISTORY_ITEM_ID]
    newest = tf.reverse(ids[:, -LEFT_OUT:], [1])
    newest = tf.pad(newest, [[0, 0], [0, LEFT_OUT - tf.shape(newest)[1]]])
    same = newest[:, :, tf.newaxis] == newest[:, tf.newaxis, :]
    newer = tf.linalg.band_part(tf.ones([LEFT_OUT, LEFT_OUT]), -1, 0) > 0
    newer &= ~tf.eye(LEFT_OUT, dtype=tf.bool)
    again = tf.reduce_any(same & newer, axis=2)
    newest = tf.where(again, "", newest)
    kept = tf.where(
        ids[:, tf.newaxis, :] == newest[:, :, tf.newaxis], "", ids[:, tf.newaxis, :]
    )
    tiled = {name: tf.repeat(v, LEFT_OUT, axis=0) for name, v in query.items()}
    shorter = tf.reshape(kept, [-1, tf.shape(ids)[1]])
    return newest, {**tiled, HISTORY_ITEM_ID: shorter}


def explained(
    recommender: RankedRecommender, inputs: Mapping[str, tf.Tensor]
) -> dict[str, tf.Tensor]:
    """Tells what becomes of given items `[batch, n]` where `recommend` is asked.

    `effect` is what the score of an item loses where one of the newest items of the
    history (`left_out_item_id`) had never been; the greatest loss is the reason. Ranks
    and places start at 1; 0 stands for none.
    """
    run = recommender.run(inputs)
    candidates = run.found.candidates
    batch = tf.shape(run.score)[0]
    asked = recommender.rows.lookup(inputs[ITEM_ID])
    row = tf.broadcast_to(asked, [batch, tf.shape(asked)[1]])
    known = row != NOTHING
    given, probabilities, alone = recommender.given(run.looked_up, row)
    place_of = _place(row, candidates.row)
    proposed, candidate = place_of > 0, tf.maximum(place_of - 1, 0)

    def own(as_candidate: tf.Tensor, by_itself: tf.Tensor) -> tf.Tensor:
        """Returns values as they were for a candidate, or would be for another item."""
        found = tf.gather(as_candidate, candidate, batch_dims=1)
        return tf.where(proposed, found, by_itself)

    score = own(run.score, alone)
    listed = tf.gather(candidates.row, run.places, batch_dims=1)
    place = _place(row, tf.where(run.within, listed, NOTHING))
    rank = tf.where(proposed, _rank(score, run.score), 0)
    flags = tf.where(
        proposed[..., tf.newaxis],
        tf.gather(candidates.proposed, candidate, batch_dims=1),
        given.candidates.proposed,
    )
    newest, effect = _effects(recommender, inputs, row, alone)
    most = tf.argmax(effect, axis=-1, output_type=tf.int32)
    helps = tf.reduce_max(effect, axis=-1) > 0
    return {
        FATE: _fate(recommender, inputs, run, row, rank, place),
        PLACE: place,
        RANK_OF: rank,
        RETRIEVAL_RANK: tf.where(known, _retrieval_rank(recommender, given, row), 0),
        SOURCES_TOLD: _joined(flags),
        SCORE: tf.where(known, score, 0.0),
        **{
            f"{PROBABILITY}{task}": tf.where(
                known, own(run.probabilities[task], values), 0.0
            )
            for task, values in probabilities.items()
        },
        REASON: tf.where(helps, tf.gather(newest, most, batch_dims=1), ""),
        LEFT_OUT_ITEM: newest,
        EFFECT: effect,
    }


def _effects(
    recommender: RankedRecommender,
    inputs: Mapping[str, tf.Tensor],
    row: tf.Tensor,
    score: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the newest items, and what scores lose without each of them.

    Strings `[batch, newest]` and float32 `[batch, n, newest]`.
    """
    newest, shorter = without_each(recommender.raw_query(inputs))
    trimmed = keep_most_recent(shorter, recommender.history_length)
    looked_up = recommender.lookup(trimmed)
    repeated = tf.repeat(row, LEFT_OUT, axis=0)
    _, _, without = recommender.given(looked_up, repeated)
    batch, n = tf.unstack(tf.shape(row))
    without = tf.transpose(tf.reshape(without, [batch, LEFT_OUT, n]), [0, 2, 1])
    real = (newest != "")[:, tf.newaxis, :] & (row != NOTHING)[..., tf.newaxis]
    return newest, tf.where(real, score[..., tf.newaxis] - without, 0.0)


def _retrieval_rank(
    recommender: RankedRecommender, given: Described, row: tf.Tensor
) -> tf.Tensor:
    """Returns the rank by the towers among all that is on sale, int32 `[batch, n]`."""
    query, items = given.embedded.query, recommender.exact.embeddings
    scores = tf.matmul(query, items, transpose_b=True)
    own = tf.gather(scores, tf.maximum(row, 0), batch_dims=1)
    return _rank(own, tf.where(recommender.allowed.listed, scores, -math.inf))


def _may_make_way(
    recommender: RankedRecommender, inputs: Mapping[str, tf.Tensor]
) -> tf.Tensor:
    """Returns whether anything but scores decides what is listed, bool `[batch, 1]`."""
    spread = inputs[DIVERSITY] > 0
    return (spread | (recommender.explore_new > 0))[:, tf.newaxis]


def _place(row: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Returns where rows `[batch, n]` stand in lists `[batch, m]`: from 1; 0: not."""
    same = row[:, :, tf.newaxis] == others[:, tf.newaxis, :]
    places = tf.where(same, tf.range(1, tf.shape(others)[1] + 1), 0)
    found = tf.reduce_max(tf.pad(places, [[0, 0], [0, 0], [0, 1]]), axis=2)
    return tf.where(row != NOTHING, found, 0)


def _rank(score: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Returns how many of `[batch, m]` score higher than `[batch, n]`, plus one."""
    higher = others[:, tf.newaxis, :] > score[:, :, tf.newaxis]
    return 1 + tf.reduce_sum(tf.cast(higher, tf.int32), axis=2)


def _joined(flags: tf.Tensor) -> tf.Tensor:
    """Returns the names of the sources that propose, comma-separated."""
    names = tf.where(flags > 0, tf.constant(SOURCES), "")
    joined = tf.strings.reduce_join(names, axis=-1, separator=",")
    joined = tf.strings.regex_replace(joined, ",+", ",")
    return tf.strings.regex_replace(joined, "^,|,$", "")


def _fate(
    recommender: RankedRecommender,
    inputs: Mapping[str, tf.Tensor],
    run: Run,
    row: tf.Tensor,
    rank: tf.Tensor,
    place: tf.Tensor,
) -> tf.Tensor:
    """Returns the first of `FATES` that is true of each item, strings `[batch, n]`.

    Args:
        recommender: that is asked.
        inputs: of the request.
        run: what its stages made of it.
        row: int32 `[batch, n]`, catalogue rows of the items.
        rank: int32 `[batch, n]`, among the candidates; 0 for no candidate.
        place: int32 `[batch, n]`, on the list; 0 for none.
    """
    at = tf.maximum(row, 0)
    k = tf.broadcast_to(inputs[K], [tf.shape(row)[0]])[:, tf.newaxis]
    told = {
        "unknown": row == NOTHING,
        "gone": ~tf.gather(recommender.allowed.listed, at),
        "excluded": _place(row, run.excluded) > 0,
        "filtered": tf.gather(run.barred, at, batch_dims=1),
        "not_proposed": rank == 0,
        "listed": place > 0,
        "made_way": (rank <= k) & _may_make_way(recommender, inputs),
    }
    answer = tf.fill(tf.shape(told["listed"]), "outranked")
    for name in reversed(FATES):
        if name in told:
            answer = tf.where(told[name], name, answer)
    return answer
