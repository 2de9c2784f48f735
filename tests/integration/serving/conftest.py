from pathlib import Path

import numpy as np
import pytest

from serving.server.server import running
from tests.integration.serving.models import (
    free,
    save_half_plus_two,
    save_scann,
    save_words,
    write_warmup,
)


@pytest.fixture(scope="session")
def models(tmp_path_factory) -> dict[str, Path]:
    """Base paths of three models; beside a version lie folders that are none."""
    root = tmp_path_factory.mktemp("models")
    save_half_plus_two(root / "hp2" / "00000123")
    (root / "hp2" / ".124.partial").mkdir()
    (root / "hp2" / "125.partial").mkdir()
    (root / "hp2" / "9223372036854775808").mkdir()
    (root / "hp2" / "126").touch()
    save_words(root / "words" / "1")
    save_scann(root / "index" / "7")
    write_warmup(root / "index" / "7", {"query": np.ones((2, 8), np.float32)})
    return {name: root / name for name in ("hp2", "words", "index")}


@pytest.fixture(scope="session")
def server(models):
    """Addresses of a running server with all three models."""
    with running(free(models)) as addresses:
        yield addresses
