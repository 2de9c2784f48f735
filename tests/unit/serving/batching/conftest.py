from contextlib import ExitStack

import pytest

from serving.server.batching.batcher import Batcher
from serving.server.batching.parameters import BatchingParameters
from tests.unit.serving.batching.graphs import SIGNATURES, Graph, floats

NEVER = float("inf")


class Asked:
    """A batcher over a graph, with one thread unless a test says otherwise."""

    def __init__(self, parameters):
        self.graph = Graph()
        self.batcher = Batcher("test", parameters, SIGNATURES, self.graph)

    def __call__(self, signature, deadline=NEVER, **inputs):
        return self.batcher.submit(signature, inputs, deadline)

    def occupy(self):
        """Keeps the thread busy with a task that no later one can join."""
        self.graph.hold()
        self("sum", x=floats(0))
        assert self.graph.entered.acquire(timeout=60)
        self.graph.batches.clear()

    def batches(self, name="x"):
        return [batch[name].tolist() for batch in self.graph.batches]

    def close(self):
        self.graph.release()
        self.batcher.close()


@pytest.fixture
def batcher():
    """Returns what makes an `Asked` with some parameters."""
    with ExitStack() as stack:

        def make(batching=True, **parameters):
            parameters = BatchingParameters(**{"num_batch_threads": 1} | parameters)
            asked = Asked(parameters if batching else None)
            stack.callback(asked.close)
            return asked

        yield make
