import os

import pytest

from serving.server import process
from serving.server.models.model_config import ModelConfig
from serving.server.options import ServerOptions

ALLOCATOR = "TF_ONEDNN_USE_SYSTEM_ALLOCATOR"


class ReachedError(Exception):
    """Tells that TensorFlow would be imported now."""


def served(monkeypatch, tmp_path):
    def reserved(_):
        raise ReachedError

    monkeypatch.setattr(process, "Signals", object)
    monkeypatch.setattr(process, "reserved", reserved)
    with pytest.raises(ReachedError):
        process.serve(ServerOptions({"m": ModelConfig(tmp_path)}))
    return os.environ[ALLOCATOR]


def test_large_tensors_go_back_to_the_system(monkeypatch, tmp_path):
    monkeypatch.setenv(ALLOCATOR, "")
    monkeypatch.delenv(ALLOCATOR)
    assert served(monkeypatch, tmp_path) == "1"


def test_who_chose_an_allocator_keeps_it(monkeypatch, tmp_path):
    monkeypatch.setenv(ALLOCATOR, "0")
    assert served(monkeypatch, tmp_path) == "0"
