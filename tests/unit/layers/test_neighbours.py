import numpy as np
import pytest

from tfrs_app.layers import neighbours
from tfrs_app.layers.neighbours import text_neighbours

VECTORS = np.array([[1, 0], [0.8, 0.6], [0, 1], [-1, 0]], np.float32)


def test_the_most_similar_come_first_and_never_the_item_itself():
    rows = {"title": np.array([0, 1, 2, 3, 0])}
    assert text_neighbours(VECTORS, rows, 2).tolist() == [
        [4, 1], [0, 4], [1, 0], [2, 1], [0, 1],
    ]  # fmt: skip


def test_an_items_features_are_summed():
    rows = {"title": np.array([0, 2, 1]), "brand": np.array([2, 2, 1])}
    assert text_neighbours(VECTORS, rows, 1).tolist() == [[2], [0], [0]]


def test_there_are_no_more_neighbours_than_other_items():
    assert text_neighbours(VECTORS, {"title": np.array([0, 1])}, 9).tolist() == [
        [1],
        [0],
    ]


@pytest.mark.parametrize("at_once", [7, 64])
def test_any_cut_gives_what_a_plain_loop_gives(monkeypatch, at_once):
    monkeypatch.setattr(neighbours, "ROWS_AT_ONCE", at_once)
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(30, 4)).astype(np.float32)
    rows = {"title": rng.permutation(30)}
    found = text_neighbours(vectors, rows, 5)
    mine = vectors[rows["title"]]
    for item in range(30):
        lengths = np.linalg.norm(mine, axis=1) * np.linalg.norm(mine[item])
        cosine = mine @ mine[item] / lengths
        others = [o for o in np.argsort(-cosine) if o != item]
        assert found[item].tolist() == others[:5]
