"""The whole funnel behind one request: propose, filter, rank, diversify, explain."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.contract.signatures import (
    BASKET,
    COMPLETE_BASKET,
    DIVERSITY,
    EXCLUDE,
    ITEM_ID,
    LIFT,
    PROBABILITY,
    RANK,
    REASON,
    RECOMMEND,
    SCORE,
    SOURCE,
)
from tfrs_app.data.windows import TIMESTAMP
from tfrs_app.export.recommender import Recommender, Tensors, named_signature
from tfrs_app.export.requests import LISTING_INPUTS, Input, query_inputs
from tfrs_app.layers.diversity import diversified
from tfrs_app.layers.grouping import NOTHING, marked
from tfrs_app.models.candidate_sources import allowed_by
from tfrs_app.models.funnel import Described, Funnel
from tfrs_app.models.ranking import RankingModel

TELLING = ("repeat", "bought_together", "new", "two_tower", "popular")
"""Of several sources of one item, the first of these is told."""


class RankedRecommender(Recommender):
    """Answers `recommend`, `rank` and `complete_basket` beside what towers alone can.

    Args:
        funnel: proposes and describes candidates, as of the moment of the export.
        ranker: orders them.
        retrieval: arguments of `Recommender`.
    """

    def __init__(self, funnel: Funnel, ranker: RankingModel, **retrieval: Any) -> None:
        super().__init__(**retrieval)
        self.funnel, self.ranker = funnel, ranker

    @property
    def main_signature(self) -> str:
        """Returns the signature that a request without a name is for."""
        return RECOMMEND

    def signatures(self) -> dict[str, Callable[..., Any]]:
        """Returns the function behind each signature, ready for `tf.saved_model`."""
        query = query_inputs(self.spec)
        listing = LISTING_INPUTS | self.filters.inputs
        item = Input(tf.TensorSpec([None, None], tf.string, ITEM_ID))
        basket = Input(tf.TensorSpec([None, None], tf.string, BASKET))
        diversity = Input(
            tf.TensorSpec([None], tf.float32, DIVERSITY), tf.constant([0.0])
        )
        return super().signatures() | {
            RECOMMEND: named_signature(
                self.recommend, query | listing | {DIVERSITY: diversity}
            ),
            RANK: named_signature(self.rank, {ITEM_ID: item} | query),
            COMPLETE_BASKET: named_signature(
                self.complete_basket, {BASKET: basket} | listing
            ),
        }

    def recommend(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Lists the best of all sources' candidates, with scores and reasons."""
        looked_up = self._looked_up(inputs)
        batch = tf.shape(looked_up[TIMESTAMP])[0]
        excluded = self._rows(inputs[EXCLUDE], batch)
        width, within = self._places(inputs, batch)
        barred = self._barred(excluded, inputs, batch)

        def search(query: tf.Tensor, count: int) -> tf.Tensor:
            wanted = tf.minimum(tf.maximum(count, width), len(self.item_ids))
            rows, scores = self._search(query, excluded, wanted, inputs, self.index)
            return tf.where(scores > -math.inf, rows, NOTHING)

        found = self.funnel(looked_up, search, allowed_by(barred))
        probabilities, score = self._judged(found, looked_up)
        places = self._ordered(found, score, inputs[DIVERSITY], width)
        row = tf.gather(found.candidates.row, places, batch_dims=1)
        real = within & (row != NOTHING)

        def listed(values: tf.Tensor, nothing: object = 0.0) -> tf.Tensor:
            return tf.where(real, tf.gather(values, places, batch_dims=1), nothing)

        reason = self.funnel.reasons(found, row)
        return {
            ITEM_ID: tf.where(real, self._ids(row), ""),
            SCORE: listed(score),
            **{
                f"{PROBABILITY}{task}": listed(values)
                for task, values in probabilities.items()
            },
            SOURCE: listed(self._source(found), ""),
            REASON: tf.where(real, self._ids(reason), ""),
        }

    def rank(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Scores given items `[batch, n]`; what the catalogue lacks scores 0."""
        looked_up = self._looked_up(inputs)
        row = self.rows.lookup(inputs[ITEM_ID])
        found = self.funnel.given(looked_up, row)
        probabilities, score = self._judged(found, looked_up)
        known = row != NOTHING
        return {SCORE: tf.where(known, score, 0.0)} | {
            f"{PROBABILITY}{task}": tf.where(known, values, 0.0)
            for task, values in probabilities.items()
        }

    def complete_basket(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Lists what others buy with the items of a basket, which are never listed.

        The lift is the basket's mean of log(1 + lift). Lists end where nothing is known
        to go with the basket.
        """
        basket = self.rows.lookup(inputs[BASKET])  # [batch, n]
        batch = tf.shape(basket)[0]
        width, within = self._places(inputs, batch)
        real = tf.cast(basket != NOTHING, tf.float32)
        partner, lift = self.funnel.state.partners_of(basket, real)
        items = tf.maximum(tf.reduce_sum(real, axis=1, keepdims=True), 1.0)
        excluded = tf.concat([self._rows(inputs[EXCLUDE], batch), basket], axis=1)
        allow = allowed_by(self._barred(excluded, inputs, batch))
        allowed = (partner != NOTHING) & allow(partner)
        lift = tf.where(allowed, lift / items, -math.inf)
        missing = tf.maximum(width - tf.shape(lift)[1], 0)
        more = [[0, 0], [0, missing]]
        best = tf.math.top_k(tf.pad(lift, more, constant_values=-math.inf), width)
        row = tf.gather(tf.pad(partner, more), best.indices, batch_dims=1)
        listed = within & (best.values > -math.inf)
        return {
            ITEM_ID: tf.where(listed, self._ids(row), ""),
            LIFT: tf.where(listed, best.values, 0.0),
        }

    def _barred(
        self, excluded: tf.Tensor, inputs: Tensors, batch: tf.Tensor
    ) -> tf.Tensor:
        """Returns what a request does not allow, bool `[batch, items]`."""
        items = len(self.item_ids)
        return marked(excluded, batch, items) | tf.cond(
            self.filters.are_set(inputs),
            lambda: self.filters.forbidden(inputs, batch),
            lambda: tf.zeros([batch, items], tf.bool),
        )

    def _judged(
        self, found: Described, looked_up: Tensors
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Returns each task's probabilities and the final score, `[batch, n]`."""
        row = found.candidates.row
        logits = self.ranker({**looked_up, **self.funnel.told(found)})
        probabilities = self.ranker.probabilities(logits)
        score = self.ranker.score(probabilities, row)
        return probabilities, tf.where(row != NOTHING, score, -math.inf)

    def _ordered(
        self,
        found: Described,
        score: tf.Tensor,
        diversity: tf.Tensor,
        width: tf.Tensor,
    ) -> tf.Tensor:
        """Returns the places of the listed candidates, int32 `[batch, width]`."""
        diversity = tf.broadcast_to(diversity, [tf.shape(score)[0]])

        def by_score() -> tf.Tensor:
            return tf.math.top_k(score, width).indices

        def spread() -> tf.Tensor:
            row = tf.maximum(found.candidates.row, 0)
            vectors = tf.gather(self.directions.embeddings, row)
            trade = tf.clip_by_value(diversity, 0.0, 1.0)
            return diversified(score, vectors, width, trade)

        places: tf.Tensor = tf.cond(tf.reduce_any(diversity > 0), spread, by_score)
        return places

    def _ids(self, row: tf.Tensor) -> tf.Tensor:
        """Returns the ids of catalogue rows; empty for no item."""
        ids = tf.gather(self.item_ids, tf.maximum(row, 0))
        return tf.where(row != NOTHING, ids, "")

    def _source(self, found: Described) -> tf.Tensor:
        """Returns the name of the source that is told, string `[batch, n]`."""
        order = [SOURCES.index(name) for name in TELLING]
        proposed = tf.gather(found.candidates.proposed, order, axis=-1)
        return tf.gather(tf.constant(TELLING), tf.argmax(proposed, axis=-1))
