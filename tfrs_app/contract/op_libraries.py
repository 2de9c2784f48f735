"""Ops that TensorFlow lacks, and the packages that bring them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import NamedTuple

from tfrs_app.contract.errors import ArtifactError

_GRAPH = "saved_model.pb"


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


def load_op_libraries(folder: Path) -> None:
    """Loads the op libraries of which the graph of a SavedModel names an op.

    The bytes are searched, not parsed: TensorFlow parses them right after, and a false
    hit only costs an import.

    Args:
        folder: of the SavedModel.

    Raises:
        ArtifactError: a library cannot be imported.
    """
    path = folder / _GRAPH
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
