"""Batches of shoppers' requests to the toy shop's model: each is answered as alone."""

import numpy as np
import pytest

from serving.server.batching.parameters import BatchingParameters
from serving.server.models.servable import Servable
from tfrs_app.export.warmup import raw_query

PADDED = BatchingParameters(
    max_batch_size=16, num_batch_threads=1, pad_variable_length_inputs=True
)


class Counting(Servable):
    """Notes how many rows it was asked at once."""

    def __init__(self, *arguments):
        self.rows = []
        super().__init__(*arguments)

    def _run(self, signature, inputs):
        self.rows.append(len(inputs["history_item_id"]))
        return super()._run(signature, inputs)


@pytest.fixture(scope="module")
def servables(ranked):
    alone = Servable("toy", 1, ranked.folder)
    batched = Counting("toy", 1, ranked.folder, PADDED)
    yield alone, batched
    alone.close()
    batched.close()


def strings(*values):
    array = np.empty((1, len(values)), object)
    array[0] = values
    return array


def shoppers(dataset, count):
    """Requests as different as clients send them, one shopper each."""
    random = np.random.default_rng(7)
    for number in range(count):
        user = int(random.integers(dataset.events.users))
        inputs = raw_query(dataset, user, int(random.integers(1, 30)))
        if number % 2:  # a history alone
            inputs = {"history_item_id": inputs["history_item_id"]}
        inputs["k"] = np.array(random.choice([3, 7]), np.int32)
        if number % 3 == 0:
            inputs["exclude"] = inputs["history_item_id"][:, :2]
        if number % 5 == 0:
            inputs["allow_colour"] = strings(random.choice([b"white", b"black"]))
            inputs["max_price"] = np.array([random.integers(2, 20)], np.float32)
        yield inputs


@pytest.mark.parametrize("signature", ["recommend", "retrieve", "embed_query"])
def test_a_batchs_answers_are_those_of_single_requests(
    servables, toy_encoded, signature
):
    alone, batched = servables
    asked = list(shoppers(toy_encoded.dataset, 60))
    if signature == "embed_query":
        names = alone.signatures[signature].inputs
        asked = [{n: a for n, a in x.items() if n in names} for x in asked]
    batched.rows.clear()
    answers = [batched.submit(signature, inputs) for inputs in asked]
    for inputs, answer in zip(asked, answers, strict=True):
        expected = alone.run(signature, inputs)
        for name, values in answer.result(60).items():
            if values.dtype == object:
                np.testing.assert_array_equal(values, expected[name], name)
            else:
                np.testing.assert_allclose(values, expected[name], atol=1e-5)
    assert max(batched.rows) > 1
    assert sum(batched.rows) == len(asked)


def test_the_members_of_a_batch_that_the_graph_refuses_get_their_own_answers(
    servables, toy_encoded
):
    alone, batched = servables
    asked = list(shoppers(toy_encoded.dataset, 6))
    wrong = {
        "history_item_id": strings(b"i1", b"i2", b"i3"),
        "history_timestamp": np.array([[1, 2]]),
    }
    answers = [batched.submit("retrieve", x) for x in [asked[0], wrong, *asked[1:]]]
    with pytest.raises(Exception, match="same length as history_item_id"):
        answers.pop(1).result(60)
    for inputs, answer in zip(asked, answers, strict=True):
        expected = alone.run("retrieve", inputs)["item_id"]
        np.testing.assert_array_equal(answer.result(60)["item_id"], expected)
