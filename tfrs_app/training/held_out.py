"""The ranker's probabilities on users who never trained it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.evaluation.reliability import Reliability, reliability_of
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.layers.inputs import SECONDS_PER_DAY
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.ranking import RankingModel
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.training.ranking_examples import (
    as_served,
    held_out_users,
    list_maker,
)
from tfrs_app.training.ranking_lists import Lists, logits_of


def held_out_lists(
    encoded: EncodedDataset, retrieval: RetrievalModel, config: RankingConfig
) -> tuple[Lists, np.ndarray]:
    """Makes the lists of all held-out users at the start of the validation span.

    As in training each is asked twice, for anything and for what is new to them; here
    those to whom nothing happens are all asked, and every candidate counts once.

    Args:
        encoded: a verified dataset with its look-ups.
        retrieval: the towers as they were before they saw the validation span.
        config: of the ranker.

    Returns:
        The lists, and the item vectors that target attention reads.
    """
    log, split = encoded.dataset.events, encoded.dataset.split
    start_s = split.validation_start
    until_s = start_s + round(config.horizon_days * SECONDS_PER_DAY)
    random = np.random.default_rng(config.seed)
    asked = log.before(start_s) > log.row_splits[:-1]
    users = np.flatnonzero(asked & held_out_users(config, log.users, random))
    knowledge, funnel = as_served(encoded, retrieval, config)
    maker = list_maker(encoded, retrieval, funnel)
    knowledge.refresh(start_s)
    end_s = min(split.test_start, until_s)
    made = [
        lists
        for new_only in (False, True)
        for lists in maker.made(users, start_s, end_s, new_only=new_only)
    ]
    return Lists.joined(made), funnel.vectors.numpy()


def held_out_reliability(
    encoded: EncodedDataset, retrieval: RetrievalModel, ranker: RankingModel
) -> list[Reliability]:
    """Returns how each task's probabilities came true for the held-out users.

    The calibration was fitted on these users, so it says whether its form fits; how
    the probabilities hold later, only a later span tells.

    Args:
        encoded: a verified dataset with its look-ups.
        retrieval: the towers as they were before they saw the validation span.
        ranker: as trained.
    """
    lists, vectors = held_out_lists(encoded, retrieval, ranker.config)
    logits = logits_of(tf.function(ranker, reduce_retracing=True), lists, vectors)
    real = lists.row != NOTHING
    probabilities = ranker.probabilities(tf.constant(logits))
    return [
        reliability_of(task, "held_out", p.numpy()[real], lists.label[..., place][real])
        for place, (task, p) in enumerate(probabilities.items())
    ]
