"""Our training step and input pipeline, as `train retrieval` runs them."""

from __future__ import annotations

import time

import tensorflow as tf

from tfrs_app.contract.retrieval_config import SEQUENCE_ENCODERS, RetrievalConfig
from tfrs_app.data.windows import training_batches
from tfrs_app.evaluation.retrieval_scorer import RetrievalScorer
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.training.retrieval import RetrievalTraining
from training_rivals.heldout import HeldOut
from training_rivals.pace import Pace, Run

WARM = 5


def train(
    encoded: EncodedDataset,
    config: RetrievalConfig,
    *,
    steps: int,
    with_loss: bool,
    jit_compile: bool = False,
) -> Run:
    """Trains our model for some steps and measures it."""
    tf.keras.utils.set_random_seed(config.seed)
    training = RetrievalTraining(encoded, config, lambda line: None)
    model = training.model
    if jit_compile:
        tf.keras.Model.compile(model, optimizer=model.optimizer, jit_compile=True)
    start = time.perf_counter()
    batches = training_batches(
        training.reader,
        training.log,
        positions=training.examples.positions,
        weight=training.examples.weight,
        batch_size=config.batch_size,
        seed=(config.seed, 0),
        share_windows=config.history_encoder in SEQUENCE_ENCODERS,
    )
    next(iter(batches))
    start_s = time.perf_counter() - start
    pace = Pace(WARM)
    model.fit(batches.take(steps), verbose=0, callbacks=[pace])
    rates = pace.rates(config.batch_size)
    if not with_loss:
        return Run(*rates, start_s)
    held_out = HeldOut(encoded.dataset)
    scorer = RetrievalScorer(model, training.reader)
    scores = scorer.scores(held_out.question, slice(0, len(held_out.user)))
    return Run(*rates, start_s, held_out.losses(scores))
