"""One version of one model: a SavedModel in its own graph and session."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import config_pb2, meta_graph_pb2
from tensorflow.python.util import deprecation

from serving.server.errors import ServingError, code_of_number
from serving.server.models.signature import INIT_OP_SIGNATURE, Signature
from serving.tensor_codec import Array
from tfrs_app.contract.errors import ArtifactError


class _Library(NamedTuple):
    """Names ops that TensorFlow itself lacks, and where they come from."""

    name: str
    ops: tuple[bytes, ...]
    """What the names of some of them hold."""
    package: str
    module: str
    remedy: str


_LIBRARIES = (
    _Library(
        "ScaNN",
        (b"Scann>",),
        "scann",
        "scann.scann_ops.py.scann_ops",
        "install scann[tf] or export with the exact index",
    ),
    _Library(
        "TensorFlow Text",
        (b"Tokenize", b"NormalizeUTF8", b"FastBertNormalize"),
        "tensorflow_text",
        "tensorflow_text",
        "install tfrs-app[text]",
    ),
)


_PLACEHOLDERS = {"Placeholder", "PlaceholderV2", "PlaceholderWithDefault"}


class Servable:
    """Answers the signatures of one (model, version).

    It runs in a v1 session, not eagerly: a session's callable costs a third to a
    quarter of an eager call, and eager keeps every ScaNN index that it ever loaded.
    """

    def __init__(self, model: str, version: int, folder: Path) -> None:
        """Loads the SavedModel in `folder`.

        Raises:
            ArtifactError: the folder holds no SavedModel that can be served.
            OSError, RuntimeError, tf.errors.OpError: TensorFlow cannot read it.
        """
        self.model = model
        self.version = version
        _register_custom_ops(folder)
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        try:
            meta_graph = self._load(folder)
            self.signature_defs = _without_defaults(meta_graph)
            self.signatures = _signatures(meta_graph)
            self._callables = {
                name: _Callable(self._session, signature)
                for name, signature in self.signatures.items()
            }
        except BaseException:
            self._session.close()
            raise

    def run(self, signature_name: str, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """Returns all outputs of a signature by name.

        Raises:
            ServingError: FAILED_PRECONDITION for an unknown signature,
                INVALID_ARGUMENT for inputs that do not fit it, or the graph's error.
        """
        signature = self.signatures.get(signature_name)
        if signature is None:
            raise ServingError(
                grpc.StatusCode.FAILED_PRECONDITION,
                f'Serving signature key "{signature_name}" not found.',
            )
        feeds = signature.feeds(inputs)
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

    def close(self) -> None:
        """Frees the graph's resources; cancels calls that still run."""
        self._session.close()

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


def _register_custom_ops(folder: Path) -> None:
    """Loads the op libraries of which the graph names an op.

    The bytes are searched, not parsed: TensorFlow parses them right after, and a false
    hit only costs an import.
    """
    path = folder / tf.saved_model.SAVED_MODEL_FILENAME_PB
    graph = path.read_bytes() if path.is_file() else b""
    for library in _LIBRARIES:
        if not any(op in graph for op in library.ops):
            continue
        try:
            importlib.import_module(library.module)
        except ImportError as error:
            raise ArtifactError(
                f"{folder}: the model uses {library.name} ops, but {library.package} "
                f"cannot be imported ({error}); {library.remedy}"
            ) from error


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
