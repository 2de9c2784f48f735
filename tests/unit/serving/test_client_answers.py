"""Lists for people: how they are asked for, read, doubted and replaced."""

import json

import pytest

from serving.client import (
    AccessDenied,
    InvalidRequest,
    ItemList,
    ModelNotFound,
    Shopper,
    Unavailable,
    WrongAnswer,
)
from serving.client.retries import Retries
from serving.protocol import messages
from serving.tensor_codec import decode
from tests.unit.serving.client_server import Grpc, Rest, client

GOOD = {"item_id": [["a", "b", ""]], "score": [[2.0, 1.0, 0.0]]}
ONCE = Retries(attempts=1)


@pytest.fixture(params=[Rest, Grpc], ids=["rest", "grpc"])
def protocol(request):
    return request.param


def asking_for(protocol, *replies, **options):
    return client(protocol, [protocol.metadata(), *replies], retries=ONCE, **options)


def test_a_list_holds_items_without_blanks(protocol):
    asking, _, _ = asking_for(protocol, protocol.outputs(**GOOD))
    answer = asking.recommend(["x"], k=3)
    assert answer.item_ids == ["a", "b"]
    assert [item.score for item in answer] == [2.0, 1.0]
    assert (len(answer), answer.degraded, answer.why) == (2, False, "")


def test_what_is_sent_is_what_the_model_reads():
    asking, script, _ = asking_for(Rest, Rest.outputs(**GOOD))
    asking.recommend(
        ["x", "y"], k=3, exclude=["z"], new_only=True, filters={"allow_brand": ["o"]}
    )
    (_, (request, _)) = script.sent
    assert request.path == "/v1/models/m:predict"
    assert json.loads(request.body) == {
        "signature_name": "serving_default",
        "inputs": {
            "history_item_id": [["x", "y"]],
            "exclude": [["z", "x", "y"]],
            "allow_brand": [["o"]],
            "k": 3,
        },
    }


def test_a_batch_is_one_request_with_histories_padded_in_front():
    rows = {"item_id": [["a"], ["b"], ["c"]], "score": [[1.0], [1.0], [1.0]]}
    asking, script, _ = asking_for(Grpc, Grpc.outputs(**rows))
    shoppers = [Shopper(["x", "y"]), Shopper(), Shopper(["z"], exclude=["q"])]
    lists = asking.recommend_many(shoppers, k=1)
    assert [answer.item_ids for answer in lists] == [["a"], ["b"], ["c"]]
    sent = messages.PredictRequest.FromString(script.sent[1][0].body)
    history = sent.inputs["history_item_id"]
    assert list(history.string_val) == [b"x", b"y", b"", b"", b"", b"z"]
    assert list(sent.inputs["exclude"].string_val) == [b"", b"", b"q"]
    assert decode(sent.inputs["k"]) == 1


@pytest.mark.parametrize(
    ("outputs", "match"),
    [
        ({"item_id": [["a"]], "score": [[float("nan")]]}, "NaN or infinity"),
        ({"item_id": [["a"]], "score": [[float("inf")]]}, "NaN or infinity"),
        ({"item_id": [["a"], ["b"]], "score": [[1.0], [1.0]]}, "2 rows, not 1"),
        ({"item_id": [["a", "b", "c", "d"]], "score": [[1.0] * 4]}, "lists of 4"),
        ({"item_id": [["bought"]], "score": [[1.0]]}, "was excluded"),
        ({"item_id": [["stranger"]], "score": [[1.0]]}, "not in the catalogue"),
        ({"item_id": [["a", "b"]], "score": [[1.0]]}, "score"),
    ],
)
def test_a_lie_is_rejected_and_counted(protocol, outputs, match):
    asking, _, _ = asking_for(
        protocol, protocol.outputs(**outputs), catalogue={"a", "b", "c", "d", "bought"}
    )
    with pytest.raises(WrongAnswer, match=match):
        asking.recommend(["x"], k=3, exclude=["bought"])
    assert asking.counts()["rejected"] == 1


def test_fewer_rows_than_were_sent_are_a_lie(protocol):
    asking, _, _ = asking_for(protocol, protocol.outputs(**GOOD))
    with pytest.raises(WrongAnswer, match="has 1 rows, not 2"):
        asking.recommend_many([Shopper(["x"]), Shopper(["y"])], k=3)


def test_nan_behind_the_end_of_a_list_does_no_harm(protocol):
    outputs = {"item_id": [["a", ""]], "score": [[1.0, float("nan")]]}
    asking, _, _ = asking_for(protocol, protocol.outputs(**outputs))
    assert asking.recommend(k=2).item_ids == ["a"]


@pytest.mark.parametrize("failure", ["unavailable", "fault", "late", "garbage"])
def test_a_list_answers_in_the_models_place_and_says_so(protocol, failure):
    asking, _, _ = asking_for(
        protocol, getattr(protocol, failure), fallback=["p", "q", "p", "r", "s"]
    )
    answer = asking.recommend(["x"], k=3, exclude=["q"])
    assert answer.item_ids == ["p", "r", "s"]
    assert answer.degraded
    assert answer.why
    assert {item.source for item in answer} == {"fallback"}
    assert asking.counts()["degraded"] == 1


def test_a_lie_has_a_fallback_too(protocol):
    lie = protocol.outputs(item_id=[["a"]], score=[[float("nan")]])
    asking, _, _ = asking_for(protocol, lie, fallback=["p"])
    answer = asking.recommend(["x"])
    assert (answer.item_ids, answer.degraded) == (["p"], True)
    assert "NaN" in answer.why
    counts = asking.counts()
    assert (counts["rejected"], counts["degraded"]) == (1, 1)


@pytest.mark.parametrize(
    ("failure", "error"), [("invalid", InvalidRequest), ("denied", AccessDenied)]
)
def test_the_callers_mistakes_are_told_in_spite_of_a_fallback(protocol, failure, error):
    asking, _, _ = asking_for(protocol, getattr(protocol, failure), fallback=["p"])
    with pytest.raises(error):
        asking.recommend(["x"])


def test_a_missing_model_is_replaced(protocol):
    asking, _, _ = client(protocol, [protocol.missing], fallback=["p"], retries=ONCE)
    assert asking.recommend(["x"]).item_ids == ["p"]
    asking, _, _ = client(protocol, [protocol.missing], retries=ONCE)
    with pytest.raises(ModelNotFound):
        asking.recommend(["x"])


def test_a_list_that_cannot_obey_filters_does_not_answer(protocol):
    asking, _, _ = asking_for(protocol, protocol.unavailable, fallback=["p"])
    with pytest.raises(Unavailable):
        asking.recommend(["x"], filters={"allow_brand": ["o"]})


def test_a_function_is_told_what_got_no_answer(protocol):
    told = []

    def popular(asked):
        told.append(asked)
        return ["p", "q"]

    asking, _, _ = asking_for(protocol, protocol.unavailable, fallback=popular)
    answer = asking.recommend(["x"], k=1, filters={"allow_brand": ["o"]})
    assert answer.item_ids == ["p"]
    (asked,) = told
    assert asked.shopper.history == ["x"]
    assert (asked.k, asked.filters) == (1, {"allow_brand": ["o"]})
    assert isinstance(asked.error, Unavailable)


def test_a_fallback_that_has_nothing_hides_nothing(protocol):
    asking, _, _ = asking_for(protocol, protocol.unavailable, fallback=[])
    with pytest.raises(Unavailable):
        asking.recommend(["x"])


def test_popular_items_are_the_models_answer_to_somebody_new(protocol):
    popular = protocol.outputs(item_id=[["p", "q", "r"]], score=[[3.0, 2.0, 1.0]])
    answer = protocol.outputs(**GOOD)
    asking, script, clock = asking_for(
        protocol, popular, answer, protocol.unavailable, fallback="popular"
    )
    assert asking.recommend(["x"], k=3).item_ids == ["a", "b"]
    replaced = asking.recommend(["x"], k=2, exclude=["p"])
    assert (replaced.item_ids, replaced.degraded) == (["q", "r"], True)
    assert script.replies == []
    clock.now += 3601  # what was popular an hour ago is asked for again
    fresh = protocol.outputs(item_id=[["s"]], score=[[1.0]])
    script.replies += [fresh, protocol.unavailable]
    replaced = asking.recommend(["x"])
    assert (replaced.item_ids, replaced.degraded) == (["s"], True)


def test_before_anything_was_popular_the_error_stands(protocol):
    asking, _, _ = asking_for(protocol, protocol.unavailable, fallback="popular")
    with pytest.raises(Unavailable):
        asking.recommend(["x"])


def test_another_word_for_a_fallback_is_refused(protocol):
    with pytest.raises(InvalidRequest, match="fallback 'best' must be"):
        client(protocol, [], fallback="best")


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda c: c.recommend("abc"), "history is a string"),
        (lambda c: c.recommend(["a"], exclude="b"), "exclude is a string"),
        (lambda c: c.recommend(["a"], event_types=["v", "w"]), "event_types has 2"),
        (lambda c: c.recommend(["a"], timestamps=[1, 2]), "timestamps has 2"),
        (lambda c: c.recommend(k=0), "k 0 must be at least 1"),
        (lambda c: c.recommend(filters={"brand": ["o"]}), "filter 'brand' must be"),
        (lambda c: c.recommend_many([]), "nobody to ask for"),
        (
            lambda c: c.recommend_many(
                [Shopper(["a"], ["v"]), Shopper(["b"])],
            ),
            "event_types: some shoppers",
        ),
        (
            lambda c: c.recommend_many([Shopper(features={"age": "9"}), Shopper()]),
            "age: some shoppers",
        ),
    ],
)
def test_impossible_requests_are_refused_before_anything_is_sent(protocol, ask, match):
    asking, script, _ = client(protocol, [])
    with pytest.raises(InvalidRequest, match=match):
        ask(asking)
    assert script.sent == []


def test_a_list_knows_its_length():
    assert len(ItemList(())) == 0
