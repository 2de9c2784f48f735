"""Texts that were embedded once, as both towers read them."""

import dataclasses
import math

import numpy as np
import pytest
import tensorflow as tf

from tests.little_shop import T0
from tfrs_app.data.text_embeddings import TextEmbeddings
from tfrs_app.layers.neighbours import Kin
from tfrs_app.models.retrieval import RetrievalModel, and_of_kin

ROWS = np.array([2, 0, 1, 2, 0], np.int32)
"""Of apple, bread, cheese, date, egg: apple and date share a text."""
TOKENS = {"apple": 2, "cheese": 4, "egg": 6}


def texts_of(vectors) -> TextEmbeddings:
    return TextEmbeddings(np.array(vectors, np.float32), {"title": ROWS}, "made")


VECTORS = [[1.0, 0.0, 0.5], [0.0, 1.0, -1.0], [0.5, 0.5, 0.0]]
CHANGED = [VECTORS[0], [0.0, 3.0, 2.0], VECTORS[2]]  # cheese's


@pytest.fixture
def model_of(little_encoded, little_config):
    def made(vectors, **settings):
        # Layers draw their weights when first called: use a model before the next.
        tf.keras.utils.set_random_seed(3)
        config = little_config.retrieval.model_copy(
            update={"text_dim": 5, "history_half_lives_days": (math.inf,), **settings}
        )
        texts = None if vectors is None else texts_of(vectors)
        encoded = dataclasses.replace(little_encoded, texts=texts)
        return RetrievalModel(encoded, config)

    return made


def embedded(model):
    return model.embed_items(tf.range(5), T0).numpy()


def queries_of(model):
    """The queries of three users who have bought one item of TOKENS each."""
    history = tf.constant([[0, 0, token] for token in TOKENS.values()])
    users = len(TOKENS)
    return model.query_tower(
        {
            "history_item_id": history,
            "history_event_type": tf.where(history > 0, 3, 0),
            "history_timestamp": tf.fill([users, 3], tf.constant(T0, tf.int64)),
            "timestamp": tf.fill([users], tf.constant(T0, tf.int64)),
            "city": tf.zeros([users], tf.int32),
            "age": tf.fill([users], math.nan),
            "store": tf.zeros([users], tf.int32),
            "wait": tf.fill([users], math.nan),
        }
    ).numpy()


def test_a_text_changes_the_items_that_have_it_and_no_others(model_of):
    before = embedded(model_of(VECTORS))
    after = embedded(model_of(CHANGED))
    differs = np.abs(before - after).max(axis=1) > 1e-4
    assert differs.tolist() == [False, False, True, False, False]


@pytest.mark.parametrize("encoder", ["mean", "attention", "gru", "transformer"])
def test_a_text_changes_the_queries_whose_history_holds_it(model_of, encoder):
    before = queries_of(model_of(VECTORS, history_encoder=encoder))
    after = queries_of(model_of(CHANGED, history_encoder=encoder))
    differs = np.abs(before - after).max(axis=1) > 1e-4
    assert differs.tolist() == [item == "cheese" for item in TOKENS]


def test_without_content_no_text_reaches_the_query(model_of):
    before = queries_of(model_of(VECTORS, history_content=False))
    after = queries_of(model_of(CHANGED, history_content=False))
    np.testing.assert_allclose(before, after, atol=1e-6)


def test_padding_and_unknown_items_have_no_text(model_of):
    model = model_of(VECTORS)
    parts = model.candidate_tower.content(tf.range(7))
    text = parts[-1].numpy()
    assert text.shape == (7, 5)
    assert not text[:2].any()
    layer = model.candidate_tower.content.features.parts["title"]
    kernel = layer.project.get_weights()[0]
    expected = np.array(VECTORS, np.float32)[ROWS] @ kernel
    np.testing.assert_allclose(text[2:], expected, atol=1e-6)


def test_vectors_are_not_trained_and_their_projection_is(model_of):
    model = model_of(VECTORS)
    embedded(model)
    layer = model.candidate_tower.content.features.parts["title"]
    trained = {id(v) for v in model.candidate_tower.trainable_variables}
    assert id(layer.vectors) not in trained
    assert id(layer.project.kernel) in trained


def test_without_embedded_texts_the_feature_is_left_out(model_of):
    parts = model_of(None).candidate_tower.content.features.parts
    assert "title" not in parts


@pytest.fixture
def kin_model(model_of):
    """Apple's only neighbour is date, cheese's is egg and bread's too."""
    return model_of(VECTORS, text_neighbours=1, trend_days=(7.0,), trend_dim=2)


def test_an_item_borrows_the_embedding_of_those_worded_alike(kin_model):
    kin = kin_model.kin.rows.numpy()[:, 0].tolist()
    assert kin[0] == 3
    assert kin[3] == 0
    before = embedded(kin_model)
    table = kin_model.candidate_tower.ids.table.embeddings
    token = int(kin_model.encoded.catalogue["item_id"][3])
    table.assign(table.numpy() + np.eye(table.shape[0])[:, [token]])
    moved = np.abs(embedded(kin_model) - before).max(axis=1) > 1e-4
    assert moved.tolist() == [row == 3 or kin[row] == 3 for row in range(5)]


def test_an_item_borrows_the_trend_of_those_worded_alike():
    trends = tf.math.log1p([[1.0, 2.0], [3.0, 5.0], [7.0, 11.0]])
    rows = tf.constant([2, 0])
    kin = Kin(tf.constant([[0, 1], [1, 2]]), tf.constant([[0.5, 0.5], [0.75, 0.25]]))
    hidden = tf.constant([True, False])

    def counts(kin, hidden):
        return np.expm1(and_of_kin(trends, rows, kin, hidden).numpy())

    own, means = [[7, 11], [1, 2]], [[2, 3.5], [4, 6.5]]
    np.testing.assert_allclose(counts(None, None), own, rtol=1e-5)
    np.testing.assert_allclose(counts(None, hidden), own, rtol=1e-5)
    both = np.concatenate([own, means], axis=1)
    np.testing.assert_allclose(counts(kin, None), both, rtol=1e-5)
    both[0, :2] = 0
    np.testing.assert_allclose(counts(kin, hidden), both, rtol=1e-5)
