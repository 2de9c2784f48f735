import numpy as np
import pytest

from tfrs_app.evaluation.leaks.values import (
    codes_of,
    cross_fitted,
    single_tokens,
    word_tokens,
)


def test_classes_of_texts_and_of_numbers():
    code, size = codes_of(np.array([b"b", b"", b"b", b"a"], object))
    assert size == 3
    assert code[0] == code[2]
    code, size = codes_of(np.array([1.0, np.nan, 1.0, 7.0, np.nan]))
    assert size == 3
    assert code[0] == code[2] != code[3]
    assert code[1] == code[4] not in (code[0], code[3])


def test_many_numbers_become_equal_buckets_and_missing_its_own():
    values = np.append(np.arange(1000.0), [np.nan] * 10)
    code, size = codes_of(values)
    count = np.bincount(code)
    assert size == len(count) == 33
    assert sorted(count)[0] == 10
    assert max(count) - sorted(count)[1] <= 2
    assert len(set(code[-10:])) == 1


def test_words_count_once_a_text():
    tokens = word_tokens(np.array([b"Red red lamp", b"", b"LAMP"], object))
    assert tokens.rows == 3
    assert tokens.size == 2
    assert sorted(tokens.row.tolist()) == [0, 0, 2]


def test_no_row_foretells_itself():
    """Every value is unique, so nothing can be known of a row but its own outcome."""
    random = np.random.default_rng(1)
    outcome = random.normal(size=400)
    values = np.array([f"v{n}".encode() for n in range(400)], object)
    assert (cross_fitted(single_tokens(values), outcome) == 0).all()


def test_a_value_foretells_the_mean_of_others():
    values = np.array([b"up", b"down"] * 200, object)
    told = cross_fitted(single_tokens(values), np.array([1.0, -1.0] * 200))
    # 160 of 200 rows are in other folds, give or take; ten of no effect are added.
    assert told[0::2] == pytest.approx(0.94, abs=0.02)
    assert told[1::2] == pytest.approx(-0.94, abs=0.02)


def test_a_text_foretells_the_mean_of_its_words():
    texts = np.array([b"up", b"down", b"up down", b""] * 100, object)
    outcome = np.array([1.0, -1.0, 0.0, 0.0] * 100)
    told = cross_fitted(word_tokens(texts), outcome)
    assert abs(told[2::4]).max() < 0.1 < told[0::4].min()
    assert (told[3::4] == 0).all()
