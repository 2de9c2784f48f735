"""The text encoder is trained with the towers; it embeds a text as (1, its length)."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from tests.tiny_bert import ScaledEncoder, save
from tfrs_app.contract.text_config import TextConfig
from tfrs_app.contract.text_embeddings import EncoderRecord
from tfrs_app.data.text_embeddings import TextEmbeddings
from tfrs_app.training.fine_tuning import FineTuning
from tfrs_app.training.retrieval import RetrievalTraining, train_retrieval
from tfrs_app.training.runs import load_retrieval, run_identity

pytestmark = pytest.mark.slow

TEXTS = [b"bread", b"date Sweet", b"apple Crisp"]
"""Of two items, and of the others together."""
ROWS = np.array([2, 0, 2, 1, 2], np.int32)


@pytest.fixture
def encoded(little_encoded):
    tf.keras.utils.set_random_seed(1)
    catalogue = {**little_encoded.dataset.catalogue}
    catalogue["title"] = np.array(TEXTS, object)[ROWS]
    dataset = dataclasses.replace(little_encoded.dataset)
    dataset.__dict__["catalogue"] = catalogue
    vectors = np.array([[1, len(text)] for text in TEXTS], np.float32)
    texts = TextEmbeddings(vectors, {"title": ROWS}, "lengths")
    return dataclasses.replace(little_encoded, dataset=dataset, texts=texts)


@pytest.fixture
def config(little_config):
    update = {"epochs": 2, "patience": 2, "batch_size": 2, "uniform_negatives": 5}
    return little_config.retrieval.model_copy(update=update)


@pytest.fixture
def tuning(tmp_path):
    handle = save(ScaledEncoder(), tmp_path / "encoder")
    record = EncoderRecord(handle=handle, preprocessor=None, fingerprint="lengths")
    text = {"mode": "full", "learning_rate": 0.01, "warmup_steps": 0}
    return FineTuning(record, TextConfig(encoder=handle, **text))


def scale_of(model):
    (scale,) = model.fine_tuned.trainable_variables
    return scale


def batch_of(training):
    examples = training.examples
    from tfrs_app.data.windows import training_batches

    batches = training_batches(
        training.reader,
        training.log,
        positions=examples.positions,
        weight=examples.weight,
        batch_size=4,
        seed=(0, 0),
        share_windows=False,
    )
    return next(iter(batches))


def test_the_gradient_is_that_of_the_candidates_texts(encoded, config, tuning):
    training = RetrievalTraining(encoded, config, print, tuning)
    model, batch = training.model, batch_of(training)
    scale = scale_of(model)
    with tf.GradientTape() as tape:
        loss = model.compute_loss(batch, training=True)
    gradient = tape.gradient(loss, scale).numpy()
    for place, step in ((0, [1e-2, 0]), (1, [0, 1e-3])):
        losses = []
        for sign in (1, -1):
            scale.assign(1 + sign * np.array(step))
            losses.append(float(model.compute_loss(batch, training=True)))
        slope = (losses[0] - losses[1]) / (2 * sum(step))
        assert gradient[place] == pytest.approx(slope, rel=0.02, abs=1e-4)
    assert np.abs(gradient).max() > 0


def test_encoder_and_towers_learn_at_their_own_rates(encoded, config, tuning):
    training = RetrievalTraining(encoded, config, print, tuning)
    model, batch = training.model, batch_of(training)
    model.compute_loss(batch)  # makes the towers' variables
    before = [v.numpy() for v in model.candidate_tower.trainable_variables]
    model.train_step(batch)
    moved = np.abs(scale_of(model).numpy() - 1)
    # Adam's first step is its rate, unless the gradient is next to nothing.
    assert moved.max() == pytest.approx(0.01, rel=0.01)
    after = model.candidate_tower.trainable_variables
    steps = [np.abs(a.numpy() - b).max() for a, b in zip(after, before, strict=True)]
    assert max(steps) == pytest.approx(config.learning_rate, rel=0.01)


def test_a_run_keeps_the_encoder_that_its_vectors_come_from(
    encoded, config, tuning, tmp_path
):
    folder = tmp_path / "run"
    manifest = train_retrieval(encoded, config, folder, print, tuning)
    assert manifest.id == run_identity(
        encoded.dataset.manifest.id, config, "lengths", tuning
    )
    encoder = hub.load(str(folder / "text_encoder"))
    expected = encoder(tf.constant(TEXTS)).numpy()
    assert np.abs(expected - encoded.texts.vectors).max() > 0.01
    model = load_retrieval(folder, encoded)
    assert model.fine_tuned is None
    stored = model.content.features.text.vectors.numpy()
    np.testing.assert_allclose(stored, [*expected, [0, 0]], rtol=1e-6)


def test_a_resumed_fine_tuning_ends_where_an_unbroken_one_does(
    encoded, config, tuning, tmp_path
):
    class KilledError(BaseException):
        pass

    def die_after_the_first_epoch(line):
        if line.startswith("epoch 1:"):
            raise KilledError

    tuning = dataclasses.replace(
        tuning,
        text=tuning.text.model_copy(update={"texts_per_step": 1, "warmup_steps": 5}),
    )
    config = config.model_copy(update={"patience": 9, "catch_up_epochs": 1})
    train_retrieval(encoded, config, tmp_path / "whole", print, tuning)
    broken = tmp_path / "broken"
    with pytest.raises(KilledError):
        train_retrieval(encoded, config, broken, die_after_the_first_epoch, tuning)
    train_retrieval(encoded, config, broken, print, tuning)
    whole, resumed = (
        hub.load(str(tmp_path / name / "text_encoder")).scale.numpy()
        for name in ("whole", "broken")
    )
    np.testing.assert_allclose(resumed, whole, rtol=1e-6)


def test_every_knob_is_part_of_the_runs_identity(config, tuning):
    def identity(**update):
        text = tuning.text.model_copy(update=update)
        changed = dataclasses.replace(tuning, text=text)
        return run_identity("data", config, "lengths", changed)

    found = {
        run_identity("data", config, "lengths"),
        identity(),
        identity(mode="top_layers", top_layers=1),
        identity(mode="top_layers", top_layers=2),
        identity(learning_rate=1.0),
        identity(warmup_steps=1),
        identity(texts_per_step=1),
    }
    assert len(found) == 7
