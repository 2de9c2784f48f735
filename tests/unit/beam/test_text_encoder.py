import subprocess
import sys

import numpy as np
import pytest

from beam.text_encoder import TextEncoder, check_one_width, check_vectors
from tests.tiny_encoder import write_encoder
from tfrs_app.contract.errors import DataError

TEXTS = [b"a", b"b\xc3\xa4"]


def test_good_vectors_pass():
    check_vectors(np.zeros((2, 1), np.float32), TEXTS, "x")
    check_vectors(np.zeros((0, 3), np.float32), [], "x")
    check_one_width([np.zeros((2, 3)), np.zeros((1, 3))], "x")


@pytest.mark.parametrize(
    ("vectors", "told"),
    [
        (np.zeros((2, 0), np.float32), r"gives float32 \[2, 0\]"),
        (np.zeros((2, 3), np.float64), r"gives float64 \[2, 3\]"),
        (np.zeros((2, 3), np.int32), r"gives int32"),
        (np.zeros(2, np.float32), r"gives float32 \[2\]"),
        (np.zeros((2, 1, 3), np.float32), r"gives float32 \[2, 1, 3\]"),
        (np.zeros((3, 3), np.float32), r"gives 3 vectors for 2 texts"),
        (np.array([[0], [np.inf]], np.float32), r"1 of 2 .* first for 'bä'; name an"),
        (np.array([[np.nan], [0]], np.float32), r"1 of 2 .* first for 'a'; name an"),
    ],
)
def test_vectors_that_cannot_be_used(vectors, told):
    with pytest.raises(DataError, match=rf"text.encoder: x .*{told}|{told}"):
        check_vectors(vectors, TEXTS, "x")


def test_vectors_of_two_widths():
    with pytest.raises(DataError, match=r"x gives vectors of widths \[2, 3\]"):
        check_one_width([np.zeros((2, 3)), np.zeros((1, 2))], "x")


def test_an_encoder_is_loaded_once_a_process(tmp_path, monkeypatch):
    from tfrs_app.layers import saved_encoder

    opened, open_encoder = [], saved_encoder.open_encoder
    monkeypatch.setattr(
        saved_encoder,
        "open_encoder",
        lambda *given: opened.append(given) or open_encoder(*given),
    )
    handle = write_encoder(tmp_path / "tiny", seed=5)
    first = TextEncoder.named(handle).vectors([b"x"])
    again = TextEncoder.named(handle).vectors([b"x"])
    np.testing.assert_array_equal(first, again)
    assert len(opened) == 1


def test_texts_are_ordered_by_what_the_encoder_calls_their_length(tmp_path):
    texts = [b"aa aa", b"a a a a", b"", "\u00e4\u00e4\u00e4".encode(), b"bbbbbb"]
    plain = TextEncoder.named(write_encoder(tmp_path / "plain", seed=6))
    assert plain.longest_first(texts).tolist() == [1, 3, 4, 0, 2]  # 7, 6, 6, 5, 0 bytes
    words = TextEncoder.named(write_encoder(tmp_path / "words", tells_lengths=True))
    assert words.longest_first(texts).tolist() == [1, 0, 3, 4, 2]  # 4, 2, 1, 1, 0 words


def test_no_other_job_waits_for_tensorflow():
    code = (
        "import sys, beam.prepare, beam.forgetting, beam.text_embeddings;"
        "assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
