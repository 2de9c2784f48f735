import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evaluation.baselines.shops import ITEMS, USERS, asked, everybody, summed
from tfrs_app.evaluation.baselines.tfidf_profile import fit_tfidf_profile

VECTORS = [[1, 0, 0], [0.6, 0.8, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
CONTENT = sp.csr_matrix(np.array(VECTORS, np.float32))


@settings(deadline=None)
@given(USERS, st.sampled_from([None, 4.0]))
def test_the_score_is_the_product_with_the_decayed_sum_of_vectors(users, half_life):
    past, question = asked(users, content=CONTENT)
    expected = []
    for row in summed(users, half_life):
        profile = [sum(row[i] * VECTORS[i][t] for i in range(ITEMS)) for t in range(3)]
        expected.append(
            [
                sum(p * v for p, v in zip(profile, vector, strict=True))
                for vector in VECTORS
            ]
        )
    scores = everybody(fit_tfidf_profile(past, half_life), question)
    np.testing.assert_allclose(scores, expected, atol=1e-5)


def test_a_new_item_is_found_by_its_words():
    past, question = asked([[(1, 0, 1)]], content=CONTENT)
    assert everybody(fit_tfidf_profile(past), question)[0, 1] == pytest.approx(0.6)


def test_items_without_content_have_no_profile():
    past, _ = asked([[(1, 0, 1)]])
    with pytest.raises(ValueError, match="needs items with texts"):
        fit_tfidf_profile(past)
