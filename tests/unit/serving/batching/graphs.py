"""A graph that is none: it records its batches and waits where a test says so."""

import threading

import numpy as np

from serving.server.models.signature import Signature, TensorSpec
from serving.tensor_codec import STRING, type_of_name

FLOAT, INT32 = type_of_name("DT_FLOAT"), type_of_name("DT_INT32")


def floats(*values):
    return np.array(values, np.float32)


def strings(*rows):
    array = np.empty((len(rows), len(rows[0])), dtype=object)
    for place, row in enumerate(rows):
        array[place] = [text.encode() for text in row]
    return array


HALVE = Signature(
    "halve",
    inputs={"x": TensorSpec("x:0", FLOAT, (None,))},
    outputs={"y": TensorSpec("y:0", FLOAT, (None,))},
    defaults={},
)
JOIN = Signature(
    "join",
    inputs={
        "words": TensorSpec("w:0", STRING, (None, None)),
        "kinds": TensorSpec("t:0", STRING, (None, None)),
        "k": TensorSpec("k:0", INT32, None),
    },
    outputs={"text": TensorSpec("o:0", STRING, (None,))},
    defaults={
        "words": np.empty((1, 0), object),
        "kinds": np.empty((1, 0), object),
        "k": np.array(10, np.int32),
    },
)
PLAIN = Signature(
    "plain",
    inputs={"m": TensorSpec("m:0", FLOAT, (None, None))},
    outputs={"n": TensorSpec("n:0", FLOAT, (None, None))},
    defaults={},
)
SUM = Signature(
    "sum",
    inputs={"x": TensorSpec("x:0", FLOAT, (None,))},
    outputs={"total": TensorSpec("s:0", FLOAT, ())},
    defaults={},
)
SIGNATURES = {s.name: s for s in (HALVE, JOIN, PLAIN, SUM)}


class PoisonedError(Exception):
    """What the graph says to a NaN."""


class Graph:
    """Answers `SIGNATURES`; `hold()` keeps its next run waiting."""

    def __init__(self):
        self.batches = []
        self.threads = set()
        self._go = threading.Event()
        self._go.set()
        self.entered = threading.Semaphore(0)

    def hold(self):
        self._go.clear()

    def release(self):
        self._go.set()

    def __call__(self, signature, inputs):
        self.batches.append({name: array.copy() for name, array in inputs.items()})
        self.threads.add(threading.current_thread().name)
        self.entered.release()
        assert self._go.wait(60)
        return getattr(self, signature)(inputs)

    def halve(self, inputs):
        if np.isnan(inputs["x"]).any():
            raise PoisonedError("NaN in the batch")
        return {"y": inputs["x"] / 2}

    def plain(self, inputs):
        return {"n": inputs["m"] + 1}

    def sum(self, inputs):
        return {"total": inputs["x"].sum()}

    def join(self, inputs):
        words = inputs.get("words", JOIN.defaults["words"])
        kinds = inputs.get("kinds", words)
        if kinds.shape[1] not in (0, words.shape[1]):
            raise PoisonedError("kinds and words differ in length")
        k = np.broadcast_to(inputs.get("k", 10), [len(words)])
        lines = [
            b" ".join([word for word in row if word][:n])
            for row, n in zip(words, k, strict=True)
        ]
        text = np.empty(len(lines), object)
        text[:] = lines
        return {"text": text}
