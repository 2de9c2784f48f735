import math

import numpy as np
import pytest

from tfrs_app.contract.features import Feature, FeatureSpec
from tfrs_app.evaluation.content import content_of

WORDS = [b"red tea pot", b"blue tea pot", b"red lamp", b"", b"Lamp, RED"]


def spec_of(*features):
    features = [Feature(name=n, role="candidate", kind=k) for n, k in features]
    return FeatureSpec(features=tuple(features), event_weights={"purchase": 1.0})


def test_texts_become_unit_vectors_of_rare_words():
    catalogue = {"title": np.array(WORDS, object)}
    found = content_of(spec_of(("title", "text")), catalogue).toarray()
    tokens = [set(text.decode().lower().replace(",", "").split()) for text in WORDS]
    idf = {
        word: math.log((1 + 5) / (1 + sum(word in row for row in tokens))) + 1
        for word in ("red", "blue", "tea", "pot", "lamp")
    }
    for a in range(5):
        for b in range(5):
            dot = sum(idf[word] ** 2 for word in tokens[a] & tokens[b])
            length = [
                math.sqrt(sum(idf[word] ** 2 for word in tokens[n])) or 1.0
                for n in (a, b)
            ]
            assert found[a] @ found[b] == pytest.approx(
                dot / length[0] / length[1], abs=1e-6
            )


def test_without_texts_each_category_is_a_word():
    catalogue = {
        "brand": np.array([b"a b", b"a b", b"a", b""], object),
        "kind": np.array([b"x", b"y", b"a", b""], object),
    }
    spec = spec_of(("brand", "categorical"), ("kind", "categorical"))
    likeness = content_of(spec, catalogue).toarray()
    likeness = likeness @ likeness.T
    assert 0 < likeness[0, 1] < 1
    assert likeness[0, 2] == likeness[1, 2] == 0  # brand a is not kind a
    assert likeness[3].tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("words", [[b"", b""], [b"! ?", b"-"]])
def test_items_without_any_word_have_no_content(words):
    spec = spec_of(("title", "text"))
    assert content_of(spec, {"title": np.array(words, object)}) is None


def test_items_without_texts_and_categories_have_no_content():
    catalogue = {"price": np.array([1.0, 2.0])}
    assert content_of(spec_of(("price", "numeric")), catalogue) is None
