"""The encoder against PyTorch's values, see minilm_reference.py beside this file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_hub as hub

from tests.tiny_bert import VOCABULARY, WIDTH, save, tiny_bert
from tfrs_app.export.minilm import HEADS, LAYERS, read_minilm
from tfrs_app.models.bert import BertSize
from tfrs_app.models.bert_text import BertText, WordPieces

pytestmark = pytest.mark.slow

REFERENCE = json.loads(
    (Path(__file__).parent / "minilm_reference.json").read_text(encoding="utf-8")
)
TEXTS = [row["text"] for row in REFERENCE["rows"]]
VECTORS = np.array([row["vector"] for row in REFERENCE["rows"]], np.float32)


@pytest.fixture(scope="module")
def minilm():
    return read_minilm()


@pytest.fixture(scope="module")
def loaded(minilm_folder):
    return hub.load(str(minilm_folder))


@pytest.mark.parametrize("row", REFERENCE["rows"], ids=lambda row: row["text"][:12])
def test_word_pieces_are_those_of_hugging_face(minilm, row):
    pieces = WordPieces(minilm.vocabulary, REFERENCE["max_tokens"])
    assert pieces(tf.constant([row["text"]])).to_list() == [row["pieces"]]


def test_vectors_are_those_of_pytorch(loaded):
    vectors = loaded(tf.constant(TEXTS)).numpy()
    assert vectors.dtype == np.float32
    assert np.abs(vectors - VECTORS).max() < 1e-4


def test_a_vector_does_not_depend_on_its_batch(loaded):
    alone = np.concatenate([loaded(tf.constant([text])).numpy() for text in TEXTS])
    assert np.abs(alone - loaded(tf.constant(TEXTS)).numpy()).max() < 1e-5


@pytest.mark.parametrize(
    ("precision", "lowest"), [("bfloat16", 0.9999), ("int8", 0.995)]
)
def test_lower_precision_stays_near(minilm, precision, lowest):
    encoder = BertText(
        minilm.weights,
        minilm.vocabulary,
        BertSize(LAYERS, HEADS),
        max_tokens=REFERENCE["max_tokens"],
        precision=precision,
    )
    vectors = encoder(tf.constant(TEXTS)).numpy()
    assert vectors.dtype == np.float32
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    assert (vectors * VECTORS).sum(axis=1).min() > lowest
    assert not encoder.trainable_variables


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("red hats", ["[CLS]", "red", "hat", "##s", "[SEP]"]),
        ("  RÉD\twool\n", ["[CLS]", "red", "wool", "[SEP]"]),
        ("", ["[CLS]", "[SEP]"]),
        ("blue", ["[CLS]", "[UNK]", "[SEP]"]),
        (b"r\xffe\xc3d hat", ["[CLS]", "red", "hat", "[SEP]"]),
        ("r\x00e\u200bd\x7f", ["[CLS]", "red", "[SEP]"]),
        ("a b c a b c", ["[CLS]", "a", "b", "c", "a", "[SEP]"]),
        ("[SEP] a", ["[CLS]", "[UNK]", "[UNK]", "[UNK]", "a", "[SEP]"]),
    ],
)
def test_texts_are_cleaned_cut_and_framed(text, expected):
    (pieces,) = WordPieces(VOCABULARY, 6)(tf.constant([text])).to_list()
    assert [VOCABULARY[piece] for piece in pieces] == expected


def test_a_turkish_locale_changes_nothing():
    code = (
        "import tfrs_app, tensorflow as tf\n"
        "from tfrs_app.models.bert_text import WordPieces\n"
        "pieces = WordPieces(['[UNK]', '[CLS]', '[SEP]', 'titi'], 9)\n"
        "print(pieces(tf.constant(['TITI T\u0130T\u0130'])).to_list())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[[1, 3, 3, 2]]\n", done.stderr


def test_lengths_count_the_word_pieces_read(tmp_path):
    texts = tf.constant(["red hats", "", "a b c a b c"])  # cut to 6
    made = tiny_bert(max_tokens=6)
    for encoder in (made, hub.load(save(made, tmp_path / "tiny"))):
        assert encoder.lengths(texts).numpy().tolist() == [5, 2, 6]


def test_no_texts_give_no_vectors():
    assert tiny_bert()(tf.constant([], tf.string)).shape == (0, WIDTH)


def test_padding_changes_nothing():
    encoder = tiny_bert(max_tokens=12)
    short, _ = encoder(tf.constant(["red hat", "a b c a b c a b c"])).numpy()
    assert np.abs(short - encoder(tf.constant(["red hat"])).numpy()[0]).max() < 1e-6


def test_tf_hub_fine_tunes_it(tmp_path):
    encoder = tiny_bert()
    layer = hub.KerasLayer(save(encoder, tmp_path / "tiny"), trainable=True)
    texts = tf.constant(["red hat", "wool"])
    np.testing.assert_allclose(layer(texts), encoder(texts), atol=1e-6)
    assert len(layer.trainable_weights) == len(encoder.variables)
    assert layer.losses == []
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(texts) ** 2 * [[1.0], [2.0]] * np.arange(WIDTH))
    gradients = tape.gradient(loss, layer.trainable_weights)
    moved = [
        gradient is not None
        and float(tf.norm(tf.convert_to_tensor(gradient), ord=1)) > 0
        for gradient in gradients
    ]
    assert all(moved)
