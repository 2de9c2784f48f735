import numpy as np
import pytest
import tensorflow as tf

from tests.tiny_bert import ScaledEncoder, save
from tfrs_app.layers import fine_tuned_texts
from tfrs_app.layers.fine_tuned_texts import FineTunedTexts
from tfrs_app.layers.text import TextEncoder

TEXTS = np.array([b"ccc", b"a", b"bb", b"eeeee", b"dddd"], object)
LENGTHS = [3, 1, 2, 5, 4]


@pytest.fixture
def texts_of(tmp_path):
    handle = save(ScaledEncoder(), tmp_path / "encoder")

    def made(per_step=2, seed=0) -> FineTunedTexts:
        return FineTunedTexts(
            TextEncoder(handle, mode="full"), TEXTS, per_step=per_step, seed=seed
        )

    return made


def test_as_many_as_allowed_are_new_and_each_gets_its_own_vector(texts_of):
    layer = texts_of(per_step=2)
    rows = tf.constant([4, 0, 5, 3])  # 5 stands for no text
    drawn = []
    for _ in range(40):
        vectors = layer(rows, tf.zeros([4, 2])).numpy()
        new = np.flatnonzero(vectors.any(axis=1))
        assert len(new) == 2
        assert 2 not in new
        assert vectors[new, 1].tolist() == [LENGTHS[rows[place]] for place in new]
        drawn += new.tolist()
    assert set(drawn) == {0, 1, 3}


def test_fewer_texts_than_allowed_are_all_new(texts_of):
    vectors = texts_of(per_step=9)(tf.constant([1, 5]), -tf.ones([2, 2]))
    assert vectors.numpy().tolist() == [[1, 1], [-1, -1]]


def test_no_text_at_all_leaves_everything(texts_of):
    vectors = texts_of()(tf.constant([5, 5]), tf.ones([2, 2]))
    assert vectors.numpy().tolist() == [[1, 1], [1, 1]]


def test_equal_seeds_draw_alike(texts_of):
    rows, nothing = tf.range(5), tf.zeros([5, 2])
    first, same, other = (texts_of(seed=seed) for seed in (1, 1, 2))
    drawn = [
        [layer(rows, nothing).numpy().tolist() for _ in range(8)]
        for layer in (first, same, other)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_only_what_is_new_takes_a_gradient(texts_of):
    layer = texts_of(per_step=1)
    (scale,) = layer.trainable_variables
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(layer(tf.range(5), tf.fill([5, 2], 7.0))[:, 1])
    new = float(total) - 4 * 7
    assert tape.gradient(total, scale).numpy().tolist() == [0, new]


@pytest.mark.parametrize("at_once", [1, 2, 100])
def test_a_refresh_embeds_every_text_in_its_place(texts_of, monkeypatch, at_once):
    monkeypatch.setattr(fine_tuned_texts, "REFRESHED_AT_ONCE", at_once)
    layer = texts_of()
    layer.trainable_variables[0].assign([1.0, 10.0])
    vectors = layer.refreshed().numpy()
    assert vectors.tolist() == [[1, 10 * length] for length in LENGTHS]
