"""One version of one model: a SavedModel in its own graph and session."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.util import deprecation

from serving.server.batching.batcher import Batcher
from serving.server.batching.parameters import BatchingParameters
from serving.server.batching.scheduler import Waited
from serving.server.batching.task import Outputs
from serving.server.errors import ServingError, code_of_number
from serving.server.models.signature import INIT_OP_SIGNATURE, Signature
from serving.tensor_codec import Array
from tfrs_app.contract.op_libraries import load_op_libraries

_PLACEHOLDERS = {"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"}


class Servable:
    """Answers the signatures of one (model, version).

    It runs in a v1 session, not eagerly: a session's callable costs a third to a
    quarter of an eager call, and eager keeps every ScaNN index that it ever loaded.
    """

    def __init__(
        self,
        model: str,
        version: int,
        folder: Path,
        batching: BatchingParameters | None = None,
        waited: Waited | None = None,
    ) -> None:
        """Loads the SavedModel in `folder`; without parameters nothing is batched.

        Args:
            model: its name.
            version: its number.
            folder: where it lies.
            batching: parameters of the batches.
            waited: is told how long each request waited to be run.

        Raises:
            ArtifactError: the folder holds no SavedModel that can be served.
            OSError, RuntimeError, tf.errors.OpError: TensorFlow cannot read it.
        """
        self.model = model
        self.version = version
        load_op_libraries(folder)
        self._session = tf.compat.v1.Session(graph=tf.Graph(), config=_session_config())
        try:
            meta_graph = self._load(folder)
            self.signature_defs = _without_defaults(meta_graph)
            self.signatures = _signatures(meta_graph)
            self._callables = {
                name: _Callable(self._session, signature)
                for name, signature in self.signatures.items()
            }
            self.queue = f"{model}-{version}"
            self._batcher = Batcher(
                self.queue, batching, self.signatures, self._run, waited
            )
        except BaseException:
            self._session.close()
            raise

    @property
    def waiting_rows(self) -> int:
        """Returns how much waits to be run: rows, or requests without batching."""
        return self._batcher.waiting_rows

    def run(
        self,
        signature_name: str,
        inputs: Mapping[str, Array],
        deadline: float | None = None,
    ) -> Outputs:
        """Returns all outputs of a signature by name.

        Args:
            signature_name: which signature.
            inputs: those with a default may be left out.
            deadline: `time.monotonic()` after which nobody waits for the answer.

        Raises:
            ServingError: see `submit`; DEADLINE_EXCEEDED, or the graph's error.
        """
        answer = self.submit(signature_name, inputs, deadline)
        left_s = None if deadline is None else max(deadline - time.monotonic(), 0)
        try:
            return answer.result(left_s)
        except TimeoutError as error:
            answer.cancel()
            raise ServingError(
                grpc.StatusCode.DEADLINE_EXCEEDED,
                "the deadline passed before the model's answer was ready",
            ) from error

    def submit(
        self,
        signature_name: str,
        inputs: Mapping[str, Array],
        deadline: float | None = None,
    ) -> Future[Outputs]:
        """Returns the future outputs of a signature; arguments as those of `run`.

        Raises:
            ServingError: FAILED_PRECONDITION for an unknown signature,
                INVALID_ARGUMENT for inputs that do not fit it, UNAVAILABLE if too
                many requests wait.
        """
        signature = self.signatures.get(signature_name)
        if signature is None:
            raise ServingError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f'Serving signature key "{signature_name}" not found.',
            )
        signature.check(inputs)
        end = math.inf if deadline is None else deadline
        return self._batcher.submit(signature_name, inputs, end)

    def close(self) -> None:
        """Waits for what runs or was taken to run and frees the graph's resources."""
        self._batcher.close()
        self._session.close()

    def _run(self, signature_name: str, inputs: Mapping[str, Array]) -> Outputs:
        feeds = self.signatures[signature_name].completed(inputs)
        try:
            return self._callables[signature_name](feeds)
        except tf.errors.OpError as error:
            raise ServingError(
                code_of_number(error.error_code), error.message
            ) from error

    def fetch(self, feeds: Mapping[str, Array], nodes: Sequence[str]) -> list[Array]:
        """Returns tensors of the graph by their names in it, all of one run.

        Raises:
            ServingError: the graph's error.
        """
        try:
            fetched = self._session.run(list(nodes), dict(feeds))
        except tf.errors.OpError as error:
            raise ServingError(
                code_of_number(error.error_code), error.message
            ) from error
        return [_as_array(value) for value in fetched]

    def _load(self, folder: Path) -> Any:
        # TF marks the loader for v1 sessions as deprecated but has no other one.
        with self._session.graph.as_default(), deprecation.silence():
            return tf.compat.v1.saved_model.load(
                self._session, [tf.saved_model.SERVING], str(folder)
            )


class _Callable:
    """Runs one signature; made once, since a lookup of names by call is dear."""

    def __init__(self, session: Any, signature: Signature) -> None:
        options = config_pb2.CallableOptions()
        options.feed.extend(spec.node for spec in signature.inputs.values())
        options.fetch.extend(spec.node for spec in signature.outputs.values())
        # -1 runs the graph in the calling thread: a tenth to a third of the time of a
        # call that hops over to TensorFlow's pool and back.
        options.run_options.inter_op_thread_pool = -1
        self._run = session._make_callable_from_options(options)
        self._names = tuple(signature.outputs)

    def __call__(self, feeds: list[Array]) -> dict[str, Array]:
        values = map(_as_array, self._run(*feeds))
        return dict(zip(self._names, values, strict=True))


def _as_array(value: Any) -> Array:
    """Returns what a session fetched; a scalar string comes as bare bytes."""
    return np.array(value, dtype=object) if isinstance(value, bytes) else value


def _session_config() -> Any:
    """Returns the session's options: graphs run as they were written.

    TensorFlow would optimise a copy of the whole graph for each signature, tables of
    item ids included. On the demo's model that took 34 s for two signatures (3.7 s
    without) and made no call faster.
    """
    config = config_pb2.ConfigProto()
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return config


def _signatures(meta_graph: Any) -> dict[str, Signature]:
    placeholders = frozenset(
        node.name for node in meta_graph.graph_def.node if node.op in _PLACEHOLDERS
    )
    return {
        name: Signature.from_proto(name, proto, placeholders)
        for name, proto in meta_graph.signature_def.items()
        if name != INIT_OP_SIGNATURE
    }


def _without_defaults(meta_graph: Any) -> dict[str, meta_graph_pb2.SignatureDef]:
    """Returns the SignatureDefs for clients: TF Serving leaves their defaults out."""
    definitions = {}
    for name, proto in meta_graph.signature_def.items():
        definitions[name] = meta_graph_pb2.SignatureDef()
        definitions[name].CopyFrom(proto)
        definitions[name].ClearField("defaults")
    return definitions
