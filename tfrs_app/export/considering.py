"""The funnel before it lists: all candidates of requests, for whoever measures it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from tfrs_app.export.ranked_recommender import RankedRecommender
from tfrs_app.export.recommender import named_signature
from tfrs_app.export.requests import LISTING_INPUTS, query_inputs

Ask = Callable[[Mapping[str, np.ndarray]], dict[str, np.ndarray]]


def considering(
    recommender: RankedRecommender, barred: np.ndarray | None = None
) -> Ask:
    """Returns what answers requests with all that `RankedRecommender.considered` does.

    The module is the one that is saved, so its sources and scores are those of the
    SavedModel's `recommend`.

    Args:
        recommender: as it is saved.
        barred: bool `[items]`, left out whatever a request says; None: it decides.
    """
    inputs = (
        query_inputs(recommender.spec) | LISTING_INPUTS | recommender.filters.inputs
    )
    mask = None if barred is None else tf.constant(barred[np.newaxis])
    answer = named_signature(lambda given: recommender.considered(given, mask), inputs)

    def ask(given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        tensors = {
            name: tf.constant(value, inputs[name].spec.dtype)
            for name, value in given.items()
        }
        return {name: value.numpy() for name, value in answer(**tensors).items()}

    return ask
