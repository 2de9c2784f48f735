import numpy as np
import pytest

from tfrs_app.layers import neighbours
from tfrs_app.layers.neighbours import Kin, text_neighbours

VECTORS = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], np.float32)


def test_the_most_similar_come_first_and_never_the_item_itself():
    rows = {"title": np.array([0, 1, 2, 3, 0])}
    assert text_neighbours(VECTORS, rows, 2)[0].tolist() == [
        [4, 1], [0, 4], [1, 0], [2, 1], [0, 1],
    ]  # fmt: skip


def test_an_items_features_are_summed():
    rows = {"title": np.array([0, 2, 1]), "brand": np.array([2, 2, 1])}
    assert text_neighbours(VECTORS, rows, 1)[0].tolist() == [[2], [0], [0]]


def test_there_are_no_more_neighbours_than_other_items():
    found, weight = text_neighbours(VECTORS, {"title": np.array([0, 1])}, 9)
    assert found.tolist() == [[1], [0]]
    assert weight.tolist() == [[1], [1]]


def test_the_nearer_count_for_more_and_what_is_unlike_for_nothing():
    rows = {"title": np.array([0, 1, 3, 2])}
    found, weight = text_neighbours(VECTORS, rows, 3)
    assert found[0].tolist() == [1, 3, 2]
    np.testing.assert_allclose(weight[0], [1, 0, 0])
    np.testing.assert_allclose(weight[1], np.array([0.8**4, 0.6**4, 0]) / 0.5392, 1e-5)
    assert weight[2].tolist() == [0, 0, 0]


def test_means_are_weighted():
    kin = Kin(np.array([[2, 0], [1, 2]]), np.array([[0.75, 0.25], [0, 0]], np.float32))
    values = np.array([[[4, 8], [0, 4]], [[1, 1], [1, 1]]], np.float32)
    assert kin.mean(values).numpy().tolist() == [[3, 7], [0, 0]]
    assert kin.of([1]).rows.numpy().tolist() == [[1, 2]]


@pytest.mark.parametrize("at_once", [7, 64])
def test_any_cut_gives_what_a_plain_loop_gives(monkeypatch, at_once):
    monkeypatch.setattr(neighbours, "ROWS_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 4)).astype(np.float32)
    rows = {"title": rng.permutation(30)}
    found, weight = text_neighbours(vectors, rows, 5)
    mine = vectors[rows["title"]]
    for item in range(30):
        lengths = np.linalg.norm(mine, axis=1) * np.linalg.norm(mine[item])
        cosine = mine @ mine[item] / lengths
        others = [o for o in np.argsort(-cosine) if o != item]
        assert found[item].tolist() == others[:5]
        sharp = np.maximum(cosine[others[:5]], 0) ** 4
        np.testing.assert_allclose(weight[item], sharp / sharp.sum(), rtol=1e-4)
