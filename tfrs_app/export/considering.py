"""The funnel before it lists: all candidates of requests, for whoever measures it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from tfrs_app.export.ranked_recommender import RankedRecommender
from tfrs_app.export.requests import (
    LISTING_INPUTS,
    Input,
    named_signature,
    query_inputs,
)

BARRED = "barred"


class Considering:
    """Answers requests by `RankedRecommender.considered`.

    The module is the one that is saved, so its sources and scores are those of the
    SavedModel's `recommend`.

    Args:
        recommender: as it is saved.
    """

    def __init__(self, recommender: RankedRecommender) -> None:
        listing = LISTING_INPUTS | recommender.filters.inputs
        self._inputs = query_inputs(recommender.spec) | listing
        mask = {BARRED: Input(tf.TensorSpec([1, None], tf.bool, BARRED))}
        self._as_asked = named_signature(recommender.considered, self._inputs)
        self._without = named_signature(
            lambda given: recommender.considered(given, given[BARRED]),
            mask | self._inputs,
        )

    def __call__(
        self, given: Mapping[str, np.ndarray], barred: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Returns the candidates of a batch of requests.

        Args:
            given: inputs of `recommend`; the others have their defaults.
            barred: bool `[items]`, left out whatever a request says; None: it decides.
        """
        tensors = {
            name: tf.constant(value, self._inputs[name].spec.dtype)
            for name, value in given.items()
        }
        if barred is None:
            answer = self._as_asked(**tensors)
        else:
            answer = self._without(**tensors, **{BARRED: barred[np.newaxis]})
        return {name: value.numpy() for name, value in answer.items()}
