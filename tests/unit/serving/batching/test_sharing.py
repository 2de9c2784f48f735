"""Which requests share a batch, and that answers are those of single requests."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.server.batching.batcher import Batcher
from serving.server.batching.parameters import BatchingParameters
from serving.server.batching.sharing import Sharing
from serving.server.models.signature import Signature, TensorSpec
from tests.unit.serving.batching.graphs import (
    FLOAT,
    JOIN,
    PLAIN,
    SIGNATURES,
    Graph,
    PoisonedError,
    floats,
    strings,
)

NEVER = float("inf")


def share(first, second, signature=JOIN, pad=True):
    rules = Sharing.of(signature, pad)
    keys = rules.key(first), rules.key(second)
    return None not in keys and keys[0] == keys[1]


A, AB, ABC = strings("a"), strings("ab"), strings("abc")
NOTHING = np.empty((1, 0), object)
TWO, THREE = np.array(2, np.int32), np.array(3, np.int32)


@pytest.mark.parametrize(
    ("first", "second", "padded", "unpadded"),
    [
        ({"words": AB}, {"words": AB}, True, True),
        ({"words": AB}, {"words": ABC}, True, False),
        ({"words": AB}, {"words": AB, "k": THREE}, False, False),
        ({"words": AB, "k": TWO}, {"words": AB, "k": TWO.copy()}, True, True),
        ({"words": AB, "k": TWO}, {"words": AB, "k": THREE}, False, False),
        ({"words": AB, "k": TWO}, {"words": AB, "k": TWO[None]}, False, False),
        ({"words": AB, "k": TWO[None]}, {"words": AB, "k": TWO[None]}, True, True),
        ({"words": AB, "k": TWO[None]}, {"words": AB, "k": THREE[None]}, False, False),
        ({"words": AB, "kinds": AB}, {"words": A, "kinds": A}, True, False),
        ({"words": AB, "kinds": AB}, {"words": AB, "kinds": NOTHING}, False, False),
        ({"words": AB, "kinds": AB}, {"words": AB, "kinds": ABC}, False, False),
        ({"words": A, "kinds": AB}, {"words": ABC, "kinds": A}, False, False),
        ({"words": A}, {"words": strings("ab", "cd")}, True, False),
    ],
)
def test_requests_that_share_a_batch(first, second, padded, unpadded):
    assert share(first, second) is share(second, first) is padded
    assert share(first, second, pad=False) is unpadded


@pytest.mark.parametrize(
    "inputs",
    [
        {"words": strings("a", "b"), "kinds": A},  # one row that serves all others
        {"k": TWO},
        {},
    ],
)
def test_requests_that_run_alone(inputs):
    assert Sharing.of(JOIN, pad=True).key(inputs) is None


def test_a_signature_without_optional_inputs_is_padded_throughout():
    narrow, wide = {"m": np.ones((1, 2))}, {"m": np.ones((1, 3))}
    assert share(narrow, wide, PLAIN, pad=True)
    assert not share(narrow, wide, PLAIN, pad=False)


def test_a_required_input_beside_optional_ones_is_not_padded():
    """An answer may be as wide as it: `rank` scores so many items."""
    inputs = {**JOIN.inputs, "items": TensorSpec("i:0", FLOAT, (None, None))}
    rank = Signature("rank", inputs, {}, JOIN.defaults)
    narrow = {"items": np.ones((1, 2)), "words": A}
    assert share(narrow, narrow | {"words": AB}, rank)
    assert not share(narrow, narrow | {"items": np.ones((1, 3))}, rank)


def test_a_fixed_first_dimension_cannot_grow():
    fixed = Signature("one", {"x": TensorSpec("x:0", FLOAT, (1, 8))}, {}, {})
    assert Sharing.of(fixed, pad=False).key({"x": np.ones((1, 8))}) is None


words = st.lists(st.sampled_from("abcde"), min_size=0, max_size=5)


@st.composite
def requests(draw):
    """A request to `join`, mostly of one row, with what else clients send or omit."""
    rows = draw(st.sampled_from([1, 1, 1, 2]))
    width = draw(st.integers(0, 4))
    letters = st.lists(st.sampled_from("abcde"), min_size=width, max_size=width)
    inputs = {"words": strings(*(draw(letters) for _ in range(rows)))}
    kinds = draw(st.sampled_from(["left out", "none", "same", "wrong"]))
    if kinds != "left out":
        size = {"none": 0, "same": width, "wrong": width + 1}[kinds]
        inputs["kinds"] = strings(*(["t"] * size for _ in range(rows)))
    k = draw(st.sampled_from([None, 1, 2, [1], [3]]))
    if k is not None:
        inputs["k"] = np.array(k, np.int32)
    return inputs


def alone(inputs):
    """The oracle: the graph asked for one request, without any batcher."""
    try:
        return Graph().join(inputs)["text"].tolist()
    except PoisonedError as error:
        return str(error)


def text_of(future):
    try:
        return future.result(60)["text"].tolist()
    except PoisonedError as error:
        return str(error)


@settings(max_examples=60, deadline=None)
@given(
    sent=st.lists(requests(), min_size=1, max_size=12),
    pad=st.booleans(),
    size=st.sampled_from([2, 3, 100]),
    allowed=st.booleans(),
)
def test_answers_are_those_of_single_requests(sent, pad, size, allowed):
    graph = Graph()
    parameters = BatchingParameters(
        max_batch_size=size,
        num_batch_threads=1,
        pad_variable_length_inputs=pad,
        allowed_batch_sizes=(1, size) if allowed else (),
    )
    batcher = Batcher("test", parameters, SIGNATURES, graph)
    try:
        graph.hold()
        batcher.submit("sum", {"x": floats(1)}, NEVER)
        answers = [batcher.submit("join", inputs, NEVER) for inputs in sent]
        graph.release()
        assert [text_of(answer) for answer in answers] == [alone(x) for x in sent]
    finally:
        graph.release()
        batcher.close()
