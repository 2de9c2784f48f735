"""What several unit tests share: the real text encoder, built once."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def minilm_folder(tmp_path_factory) -> Path:
    """The built MiniLM-L6 encoder in float32; nobody may write into it."""
    from tfrs_app.export.text_encoder import build_text_encoder

    parent = tmp_path_factory.mktemp("text_encoders")
    return build_text_encoder(parent, "float32", 64, report=lambda line: None)
