"""The whole funnel behind one request: propose, filter, rank, diversify, explain."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.contract.signatures import (
    BASKET,
    COMPLETE_BASKET,
    DIVERSITY,
    EXCLUDE,
    EXPLAIN,
    ITEM_ID,
    PROBABILITY,
    RANK,
    REASON,
    RECOMMEND,
    SCORE,
    SOURCE,
)
from tfrs_app.data.windows import TIMESTAMP
from tfrs_app.export.baskets import completed
from tfrs_app.export.explanation import explained
from tfrs_app.export.exploration import explored
from tfrs_app.export.recommender import Recommender, Tensors
from tfrs_app.export.requests import (
    LISTING_INPUTS,
    Input,
    named_signature,
    query_inputs,
)
from tfrs_app.export.stages import shared
from tfrs_app.layers.diversity import diversified
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.models.candidate_sources import PROPOSED, allowed_by
from tfrs_app.models.funnel import Described, Funnel, Proposed
from tfrs_app.models.ranking import ROW, RankingModel

TELLING = ("repeat", "bought_together", "new", "two_tower", "popular")
"""Of several sources of one item, the first of these is told."""
LEAST_SCORE = 1e-9
"""Below it two items are liked alike."""


class Run(NamedTuple):
    """Holds what each stage made of a request."""

    looked_up: Tensors
    excluded: tf.Tensor
    """int32 `[batch, n]`, catalogue rows."""
    barred: tf.Tensor
    """bool `[batch, items]`."""
    found: Described
    probabilities: dict[str, tf.Tensor]
    score: tf.Tensor
    """`[batch, n]` of the candidates, -inf for none."""
    places: tf.Tensor
    """int32 `[batch, width]`, which candidates are listed."""
    within: tf.Tensor
    """bool `[batch, width]`, False behind a row's k."""


class Judged(NamedTuple):
    """Pairs items with what the ranker makes of them."""

    described: Described
    probabilities: dict[str, tf.Tensor]
    """`[batch, n]` each, by task."""
    score: tf.Tensor
    """`[batch, n]`, -inf for no item."""


class RankedRecommender(Recommender):
    """Answers `recommend`, `rank` and `complete_basket` beside what towers alone can.

    Args:
        funnel: proposes and describes candidates, as of the moment of the export.
        ranker: orders them.
        explore_new: share of a list's places that new items get.
        kinds: int32 `[items]`, by which complements differ from what a basket holds;
            NOTHING for an item without one. None: they need not.
        retrieval: arguments of `Recommender`.
    """

    def __init__(
        self,
        funnel: Funnel,
        ranker: RankingModel,
        explore_new: float,
        kinds: np.ndarray | None,
        **retrieval: Any,
    ) -> None:
        super().__init__(**retrieval)
        self.funnel, self.ranker = funnel, ranker
        self.explore_new = explore_new
        self.kinds = None if kinds is None else tf.constant(kinds)
        self._shared_run = shared(self.run_through)
        self._shared_given = shared(self._given)
        self._shared_judged = shared(self._judged)

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
        return super().signatures() | {
            RECOMMEND: named_signature(self.recommend, self._inputs()),
            EXPLAIN: named_signature(self.explain, {ITEM_ID: item} | self._inputs()),
            RANK: named_signature(self.rank, {ITEM_ID: item} | query),
            COMPLETE_BASKET: named_signature(
                self.complete_basket, {BASKET: basket} | listing
            ),
        }

    def _inputs(self) -> dict[str, Input]:
        """Returns the inputs of `recommend`."""
        diversity = tf.TensorSpec([None], tf.float32, DIVERSITY)
        listing = LISTING_INPUTS | self.filters.inputs
        spread = {DIVERSITY: Input(diversity, tf.constant([0.0]))}
        return query_inputs(self.spec) | listing | spread

    def recommend(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Lists the best of all sources' candidates, with scores and reasons."""
        run = self.run(inputs)
        found, places = run.found, run.places
        row = tf.gather(found.candidates.row, places, batch_dims=1)
        real = run.within & (row != NOTHING)

        def listed(values: tf.Tensor, nothing: object = 0.0) -> tf.Tensor:
            return tf.where(real, tf.gather(values, places, batch_dims=1), nothing)

        reason = self.funnel.reasons(found, row)
        return {
            ITEM_ID: tf.where(real, self.ids_of(row), ""),
            SCORE: listed(run.score),
            **{
                f"{PROBABILITY}{task}": listed(values)
                for task, values in run.probabilities.items()
            },
            SOURCE: listed(self._source(found), ""),
            REASON: tf.where(real, self.ids_of(reason), ""),
        }

    def explain(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Tells what becomes of given items where `recommend` is asked, and why."""
        return explained(self, inputs)

    def rank(self, inputs: Tensors) -> dict[str, tf.Tensor]:
        """Scores given items `[batch, n]`; what the catalogue lacks scores 0."""
        looked_up = self.looked_up(inputs)
        row = self.rows.lookup(inputs[ITEM_ID])
        _, probabilities, score = self.given(looked_up, row)
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
        return completed(self, inputs)

    def liking(self, looked_up: Tensors, row: tf.Tensor) -> tf.Tensor:
        """Returns log of the ranker's score, `[batch, n]`."""
        _, _, score = self.given(looked_up, row)
        return tf.math.log(tf.maximum(score, LEAST_SCORE))

    def considered(
        self, inputs: Tensors, barred: tf.Tensor | None = None
    ) -> dict[str, tf.Tensor]:
        """Returns all candidates that a request has, in no order.

        Args:
            inputs: of `recommend`.
            barred: bool `[1, items]`, what is left out instead of what the request
                excludes and filters; the nearest of the others are found exactly.

        Returns:
            Catalogue rows, int32 `[batch, n]`, NOTHING behind the last; which sources
            proposed each; its score and probabilities.
        """
        run = self.run_through({DIVERSITY: tf.zeros([1]), **inputs}, barred)
        return {
            ROW: run.found.candidates.row,
            PROPOSED: run.found.candidates.proposed > 0,
            SCORE: run.score,
            **{f"{PROBABILITY}{task}": p for task, p in run.probabilities.items()},
        }

    def run(self, inputs: Tensors) -> Run:
        """Takes a request of `recommend` through all stages."""
        run: Run = self._shared_run({name: inputs[name] for name in self._inputs()})
        return run

    def run_through(self, inputs: Tensors, barred: tf.Tensor | None = None) -> Run:
        """Takes a request through all stages.

        Args:
            inputs: of `recommend`.
            barred: of `considered`.
        """
        looked_up = self.looked_up(inputs)
        batch = tf.shape(looked_up[TIMESTAMP])[0]
        excluded = self.rows_of(inputs[EXCLUDE], batch)
        width, within = self.places(inputs, batch)
        if barred is None:
            mask = self.allowed.barred(excluded, inputs, batch)
        else:
            mask = tf.broadcast_to(barred, [batch, len(self.item_ids)])

        def search(query: tf.Tensor, count: int) -> tf.Tensor:
            wanted = tf.minimum(tf.maximum(count, width), len(self.item_ids))
            rows, scores = (
                self.nearest(query, excluded, wanted, inputs)
                if barred is None
                else self.exact.search(query, wanted, mask)
            )
            return tf.where(scores > -math.inf, rows, NOTHING)

        embedded = self.embedded(looked_up)
        proposed = self.funnel.proposed(looked_up, embedded, search, allowed_by(mask))
        found, probabilities, score = self._shared_judged(proposed, looked_up)
        places = self._ordered(found, score, inputs[DIVERSITY], width)
        if self.explore_new:
            new = found.candidates.proposed[..., SOURCES.index("new")] > 0
            wanted = tf.reduce_sum(tf.cast(within, tf.int32), axis=1)
            places = explored(places, wanted, score, new, self.explore_new)
        return Run(
            looked_up, excluded, mask, found, probabilities, score, places, within
        )

    def given(self, looked_up: Tensors, row: tf.Tensor) -> Judged:
        """Judges items `[batch, n]` as if they were the candidates of a request."""
        judged: Judged = self._shared_given(dict(looked_up), row)
        return judged

    def _given(self, looked_up: Tensors, row: tf.Tensor) -> Judged:
        embedded = self.embedded(looked_up)
        found = self.funnel.given(looked_up, embedded, row)
        judged: Judged = self._shared_judged(found, looked_up)
        return judged

    def _judged(self, found: Proposed, looked_up: Tensors) -> Judged:
        described, row = self.funnel.described(found), found.candidates.row
        logits = self.ranker({**looked_up, **self.funnel.told(described)})
        probabilities = self.ranker.probabilities(logits)
        score = self.ranker.score(probabilities, row)
        score = tf.where(row != NOTHING, score, -math.inf)
        return Judged(described, probabilities, score)

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

    def _source(self, found: Described) -> tf.Tensor:
        """Returns the name of the source that is told, string `[batch, n]`."""
        order = [SOURCES.index(name) for name in TELLING]
        proposed = tf.gather(found.candidates.proposed, order, axis=-1)
        return tf.gather(tf.constant(TELLING), tf.argmax(proposed, axis=-1))
