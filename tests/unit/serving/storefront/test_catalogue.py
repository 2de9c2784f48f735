import dataclasses

import pytest

from tests.little_recommender import little_catalogue


@pytest.fixture(scope="module")
def catalogue():
    return little_catalogue()


def test_an_item_tells_what_it_has(catalogue):
    assert catalogue.item("a") == {
        "item_id": "a",
        "title": "red lamp",
        "text": "red lamp",
        "facts": [{"name": "kind", "value": "lamp"}, {"name": "height", "value": 1.5}],
    }


def test_a_missing_number_is_left_out(catalogue):
    assert [fact["name"] for fact in catalogue.item("c")["facts"]] == ["kind"]


def test_an_unknown_item_is_its_id(catalogue):
    assert catalogue.item("?") == {
        "item_id": "?", "title": "?", "text": "", "facts": [],
    }  # fmt: skip


def test_words_find_the_popular_first_and_only_what_is_on_sale(catalogue):
    assert catalogue.words.find("lamp", 10) == [1, 0]
    assert catalogue.words.find("table", 10) == []
    assert catalogue.words.find("d", 10) == [3]


def test_values_are_found_by_parts_of_words(catalogue):
    kind = catalogue.column_of["kind"]
    assert kind.counts == [("lamp", 2), ("seat", 2), ("<i>odd</i>", 1)]
    assert kind.find("SEA", 5) == [("seat", 2)]
    assert kind.find("", 1) == [("lamp", 2)]


def test_numbers_have_a_range(catalogue):
    assert catalogue.column_of["height"].range == (1.5, 90.0)


def test_columns_are_as_long_as_the_catalogue(catalogue):
    with pytest.raises(ValueError, match="texts has 1 entries, there are 5 items"):
        dataclasses.replace(catalogue, texts=["one"])
