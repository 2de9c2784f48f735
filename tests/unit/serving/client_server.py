"""A server of the imagination: answers by a script, on a clock that a test sets."""

from dataclasses import dataclass, field

import numpy as np

from serving.client import Recommender
from serving.client.dialect import Target
from serving.client.grpc_dialect import GrpcDialect
from serving.client.questions import Questions
from serving.client.rest_dialect import RestDialect
from serving.client.retries import Retries
from serving.client.steps import Reply
from serving.json_text import dumps
from serving.protocol import messages
from serving.tensor_codec import encode

# DataType numbers of TensorFlow: 1 float, 3 int32, 7 string, 9 int64.
TYPES = {"f": ("DT_FLOAT", 1), "i": ("DT_INT32", 3), "s": ("DT_STRING", 7)}
LIST = {"item_id": ("s", [-1, -1]), "score": ("f", [-1, -1])}
QUERY = {
    "history_item_id": ("s", [-1, -1]),
    "exclude": ("s", [-1, -1]),
    "allow_brand": ("s", [-1, -1]),
    "k": ("i", None),
}
SIGNATURES = {
    "serving_default": (QUERY, LIST),
    "half": ({"x": ("f", [-1])}, {"y": ("f", [-1])}),
}


@dataclass
class Clock:
    """Time that passes only when somebody sleeps, or a reply takes long."""

    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Script:
    """A transport that takes each reply, error or (delay, reply) from a list."""

    clock: Clock
    replies: list
    sent: list = field(default_factory=list)

    def send(self, request, timeout_s):
        self.sent.append((request, timeout_s))
        reply = self.replies.pop(0)
        if isinstance(reply, tuple):
            self.clock.now += reply[0]
            reply = reply[1]
        if isinstance(reply, Exception):
            raise reply
        return reply

    def close(self):
        pass

    @property
    def timeouts(self):
        return [timeout_s for _, timeout_s in self.sent]


class Rest:
    """REST's replies, written out by hand."""

    dialect = RestDialect("http://h:1", Target("m"))
    unavailable = Reply(503, b'{"error": "queue is full"}')
    invalid = Reply(400, b'{"error": "bad input"}')
    overloaded = Reply(429, b'{"error": "too large"}')
    fault = Reply(500, b'{"error": "boom"}')
    missing = Reply(404, b'{"error": "Servable not found"}')
    denied = Reply(401, b'{"error": "who are you"}')
    late = Reply(504, b'{"error": "too late"}')
    garbage = Reply(200, b"<html>")

    @staticmethod
    def metadata(signatures=SIGNATURES):
        def tensors(specs):
            return {
                name: {"dtype": TYPES[kind][0], "tensor_shape": _shape(sizes)}
                for name, (kind, sizes) in specs.items()
            }

        definitions = {
            name: {"inputs": tensors(inputs), "outputs": tensors(outputs)}
            for name, (inputs, outputs) in signatures.items()
        }
        document = {"metadata": {"signature_def": {"signature_def": definitions}}}
        return Reply(200, dumps(document, ()))

    @staticmethod
    def outputs(**arrays):
        values = {name: _told(value) for name, value in arrays.items()}
        content = values if len(values) > 1 else next(iter(values.values()))
        arrays = [v for v in values.values() if isinstance(v, np.ndarray)]
        return Reply(200, dumps({"outputs": content}, arrays))


class Grpc:
    """gRPC's replies, with messages of their own."""

    dialect = GrpcDialect("h:1", Target("m"))
    unavailable = Reply(14, b"", "queue is full")
    invalid = Reply(3, b"", "bad input")
    overloaded = Reply(8, b"", "too large")
    fault = Reply(13, b"", "boom")
    missing = Reply(5, b"", "Servable not found")
    denied = Reply(16, b"", "who are you")
    late = Reply(4, b"", "too late")
    garbage = Reply(0, b"<html>")

    @staticmethod
    def metadata(signatures=SIGNATURES):
        definitions = messages.SignatureDefMap()
        for name, (inputs, outputs) in signatures.items():
            definition = definitions.signature_def[name]
            for specs, infos in (
                (inputs, definition.inputs),
                (outputs, definition.outputs),
            ):
                for alias, (kind, sizes) in specs.items():
                    infos[alias].dtype = TYPES[kind][1]
                    if sizes is None:
                        infos[alias].tensor_shape.unknown_rank = True
                    for size in sizes or ():
                        infos[alias].tensor_shape.dim.add().size = size
        answer = messages.GetModelMetadataResponse()
        answer.metadata["signature_def"].value = definitions.SerializeToString()
        return Reply(0, answer.SerializeToString())

    @staticmethod
    def outputs(**arrays):
        answer = messages.PredictResponse()
        for name, value in arrays.items():
            told = _told(value)
            if not isinstance(told, np.ndarray):
                flat = [text.encode() for row in told for text in row]
                strings = np.empty(len(flat), object)
                strings[:] = flat
                told = strings.reshape(len(told), -1)
            encode(told, answer.outputs[name])
        return Reply(0, answer.SerializeToString())


def _shape(sizes):
    if sizes is None:
        return {"unknown_rank": True}
    return {"dim": [{"size": str(size), "name": ""} for size in sizes]}


def _told(value):
    """Lists of strings stay lists, numbers become float32."""
    first = value[0][0] if isinstance(value[0], list) and value[0] else value[0]
    return value if isinstance(first, str) else np.array(value, np.float32)


def client(protocol, replies, *, retries=None, timeout_s=5.0, draw=1.0, **options):
    """A client of a scripted server, the server, and their clock."""
    clock = Clock()
    script = Script(clock, list(replies))
    questions = Questions(
        protocol.dialect,
        timeout_s=timeout_s,
        retries=retries or Retries(),
        clock=clock,
        draw=lambda: draw,
        **options,
    )
    return Recommender(questions, script, clock.sleep), script, clock
