"""The examples of docs/client.md do what the page says."""

import re
from pathlib import Path

import pytest

from serving.client import Shopper
from serving.server.server import running
from tests.integration.serving.clients import KINDS, client_of, options_of
from tests.toy_shop import parity_of

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PAGE = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.fixture(scope="module")
def server(toy_run):
    with running(options_of({"smoke": toy_run.stages.model_base})) as addresses:
        yield addresses


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_runs(number, server, capsys):
    code = EXAMPLES[number].replace("127.0.0.1:8500", server.grpc)
    code = code.replace("http://127.0.0.1:8501", server.rest)
    exec(compile(code, f"example {number}", "exec"), {})
    assert capsys.readouterr().out.strip()


def test_the_fallback_of_the_page_is_shown_as_it_says(capsys):
    (code,) = [example for example in EXAMPLES if "fallback" in example]
    exec(compile(code, "fallback", "exec"), {})
    told = capsys.readouterr().out
    assert told.startswith("['i20', 'i30'] True Unavailable: ")


@pytest.fixture(params=KINDS)
def client(request, server):
    with client_of(request.param, server, model="smoke", fallback="popular") as client:
        yield client


def test_lists_follow_taste_filters_and_what_is_excluded(client):
    history = [f"i{n}" for n in range(0, 40, 2)]
    answer = client.recommend(history, k=3, new_only=True)
    assert len(answer) == 3
    assert {parity_of(item.item_id) for item in answer} == {"even"}
    assert not set(answer.item_ids) & set(history)
    assert all(set(item.probabilities) == {"view", "purchase"} for item in answer)
    assert not answer.degraded
    black = client.recommend(history, k=4, filters={"allow_colour": ["black"]})
    assert [parity_of(item) for item in black.item_ids] == ["odd"] * 4
    assert len(client.recommend(history, filters={"max_price": 0.5})) == 0


def test_all_clients_are_told_the_same(server):
    shoppers = [Shopper(["i2", "i4"], exclude=["i6"]), Shopper(["i1"]), Shopper()]
    told = []
    for kind in KINDS:
        with client_of(kind, server, model="smoke") as client:
            lists = client.recommend_many(shoppers, k=7, diversity=0.3)
            told.append([item for answer in lists for item in answer])
    first, *others = told
    assert len(first) == 21
    for other in others:
        assert [item.item_id for item in other] == [item.item_id for item in first]
        assert [item.source for item in other] == [item.source for item in first]
        for ours, theirs in zip(other, first, strict=True):
            assert ours.score == pytest.approx(theirs.score, abs=1e-5)
            assert ours.probabilities == pytest.approx(theirs.probabilities, abs=1e-5)


def test_no_history_is_the_same_as_an_empty_one(client):
    absent = client.predict("serving_default", {"k": 10})
    assert client.recommend(k=10).item_ids == absent["item_id"][0].tolist()


def test_baskets_and_neighbours_have_answers(client):
    similar = client.similar_items("i2", k=5)
    assert {parity_of(item.item_id) for item in similar} == {"even"}
    assert len(client.similar_items("nothing")) == 0
    basket = client.complete_basket(["i2", "i4"], k=5, exclude=["i6"])
    assert not {"i2", "i4", "i6"} & set(basket.item_ids)


def test_explanations_agree_with_the_list(client):
    answer = client.recommend(["i2", "i4"], k=5)
    first, absent, unknown = client.explain(
        [answer.item_ids[0], "i1", "unheard_of"], k=5
    )
    assert unknown.fate == "unknown"
    assert (first.item_id, absent.item_id) == (answer.item_ids[0], "i1")
    (told,) = client.explain(answer.item_ids[:1], Shopper(["i2", "i4"]), k=5)
    assert (told.fate, told.place) == ("listed", 1)
    assert told.score == pytest.approx(answer.items[0].score, abs=1e-5)
    assert set(told.effects) == {"i2", "i4"}
