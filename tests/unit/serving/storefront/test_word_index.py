import pytest

from serving.storefront.word_index import WordIndex

TEXTS = ["Red lamp", "red lampshade, large", "Blue LAMP 40W", "chair", "Über-sofa"]


@pytest.fixture(scope="module")
def index():
    return WordIndex(enumerate(TEXTS))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("lamp", [0, 1, 2]),
        ("LAMP", [0, 1, 2]),
        ("lam re", [0, 1]),
        ("lamps", [1]),
        ("40", [2]),
        ("amp", []),
        ("red chair", []),
        ("über", [4]),
        ("sofa", [4]),
        ("", []),
        ("?!", []),
    ],
)
def test_every_word_begins_one_of_the_texts(index, typed, found):
    assert index.find(typed, 10) == found


def test_what_is_given_first_is_found_first():
    index = WordIndex((number, TEXTS[number]) for number in (2, 1, 0))
    assert index.find("lamp", 2) == [2, 1]


def test_brute_force_agrees(index):
    def loop(typed):
        words = typed.split()
        return [
            n
            for n, text in enumerate(TEXTS)
            if all(
                any(
                    own.startswith(word)
                    for own in text.lower().replace(",", "").split()
                )
                for word in words
            )
        ]

    for typed in ("r", "l", "l r", "b l", "c", "red l"):
        assert index.find(typed, 10) == loop(typed)
