import json

import pytest

from serving.storefront.bodies import (
    BadBody,
    ForReasons,
    ForVisitor,
    ForWords,
    Visitor,
    read_body,
)


def refusal(kind, body):
    with pytest.raises(BadBody) as caught:
        read_body(kind, body if isinstance(body, bytes) else json.dumps(body).encode())
    told = str(caught.value)
    assert "\n" not in told
    return told


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "the body: invalid JSON"),
        (b"\xff", "the body: invalid JSON"),
        (b"[1]", "the body: input should be an object"),
        (b'{"k": NaN}', "k: "),
        (b'{"diversity": NaN}', "diversity: "),
        ({"k": 0}, "k: input should be greater than or equal to 1; received 0"),
        ({"k": 101}, "k: input should be less than or equal to 100; received 101"),
        ({"k": "5"}, "k: input should be a valid integer; received '5'"),
        ({"k": True}, "k: input should be a valid integer; received True"),
        ({"extra": 1}, "extra: extra inputs are not permitted"),
        ({"diversity": 1.5}, "diversity: input should be less than or equal to 1"),
        ({"filters": {"allow_x": "red"}}, "filters.allow_x"),
        ({"filters": {"allow_x": ["y"] * 201}}, "filters.allow_x"),
        ({"filters": {"max_x": float("inf")}}, "filters.max_x"),
        ({"visitor": {"features": {"age": None}}}, "visitor.features.age"),
        ({"visitor": {"events": [{"item_id": "a"}]}}, "visitor.events.0.timestamp"),
        ({"model": {"server": "third"}}, "model.server"),
        ({"model": {"version": -1}}, "model.version"),
    ],
)
def test_a_bad_body_is_refused_in_one_sentence(body, told):
    assert refusal(ForVisitor, body).startswith(told)


def test_lists_have_an_end():
    event = {"item_id": "a", "timestamp": 1}
    body = {"visitor": {"events": [event] * 1001}}
    assert "visitor.events: list should have at most 1000" in refusal(ForVisitor, body)
    assert refusal(ForReasons, {"item_ids": ["a"] * 11}).startswith("item_ids: list")
    assert refusal(ForReasons, {"item_ids": []}).startswith("item_ids: list")
    assert refusal(ForWords, {"text": "x" * 501}).startswith("text: string should have")
    assert refusal(ForVisitor, {"visitor": {"moment": 2**53}}).startswith(
        "visitor.moment"
    )


def test_a_visitor_becomes_a_shopper():
    visitor = Visitor.model_validate_json(
        '{"events": [{"item_id": "a", "event_type": "view", "timestamp": 5},'
        '{"item_id": "b", "event_type": "cart", "timestamp": 7},'
        '{"item_id": "a", "event_type": "view", "timestamp": 8}],'
        '"moment": 9, "features": {"age": "old", "height": 2}}'
    )
    shopper = visitor.shopper(new_only=True)
    assert (shopper.history, shopper.exclude) == (["a", "b", "a"], ["a", "b"])
    assert (shopper.event_types, shopper.timestamps) == (
        ["view", "cart", "view"],
        [5, 7, 8],
    )
    assert (shopper.timestamp, shopper.features) == (9, {"age": "old", "height": 2})
    assert visitor.shopper().exclude == ()


def test_types_that_are_not_all_told_are_left_out():
    events = '{"events": [{"item_id": "a", "timestamp": 5}]}'
    assert Visitor.model_validate_json(events).shopper().event_types == ()
