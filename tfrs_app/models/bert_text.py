"""Texts to unit vectors: word pieces, BERT, mean over the pieces, in one SavedModel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf
import tensorflow_text as tf_text

from tfrs_app.contract.text_config import Precision
from tfrs_app.models.bert import Bert, BertSize, Weights

START, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
NOT_READ = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{FFFD}\p{Cf}\p{Co}\p{Mn}]"
"""Control characters but tab and line breaks, private ones, and accents (after NFD)."""


class WordPieces(tf.Module):
    """Splits texts into ids of word pieces, cut to a number of them.

    Strips accents and lower-cases as the original tokenizer does; bytes that are no
    UTF-8 are left out.

    Args:
        vocabulary: word pieces in the order of their ids, `[PAD]` first.
        most: pieces kept of a text, start and end counted.
    """

    def __init__(self, vocabulary: Sequence[str], most: int) -> None:
        super().__init__()
        self.most = most
        self.start, self.end = vocabulary.index(START), vocabulary.index(END)
        self.tokenizer = tf_text.FastBertTokenizer(
            vocab=list(vocabulary),
            token_out_type=tf.int32,
            unknown_token=UNKNOWN,
            lower_case_nfd_strip_accents=False,  # it would fold ß to ss and ½ to 1/2
        )

    def __call__(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Returns int32 `[batch, (pieces)]` of texts `[batch]`, with start and end."""
        pieces = self.tokenizer.tokenize(_plain(texts))  # [batch, (pieces)]
        ends = tf.ones([tf.shape(texts)[0], 1], tf.int32)
        return tf.concat(
            [self.start * ends, pieces[:, : self.most - 2], self.end * ends], axis=1
        )


def _plain(texts: tf.Tensor) -> tf.Tensor:
    """Returns texts without accents and control characters, in lower case."""
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="ignore")
    texts = tf_text.normalize_utf8(texts, "NFD")
    texts = tf.strings.regex_replace(texts, NOT_READ, "")
    texts = tf.strings.lower(texts)  # ASCII here: a Turkish locale makes I a dotless i
    return tf.strings.lower(texts, encoding="utf-8")


class BertText(tf.Module):
    """Maps strings `[batch]` to float32 unit vectors `[batch, width]`.

    Saved, it keeps TF Hub's contract of a reusable SavedModel
    (https://www.tensorflow.org/hub/reusable_saved_models): callable, with its variables
    in lists, so that `hub.KerasLayer(folder, trainable=True)` fine-tunes it.
    """

    # The contract wants lists; tf.Module has properties of these names, never saved.
    variables: Any = None
    trainable_variables: Any = None

    def __init__(
        self,
        weights: Weights,
        vocabulary: Sequence[str],
        size: BertSize,
        *,
        max_tokens: int,
        precision: Precision,
    ) -> None:
        super().__init__()
        self.word_pieces = WordPieces(vocabulary, max_tokens)
        self.bert = Bert(weights, size, precision)
        self.variables = list(self.bert.variables)  # none but in float32
        self.trainable_variables = list(self.variables)
        self.regularization_losses: list[Any] = []

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
    def __call__(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns float32 `[batch, width]`."""
        pieces = self.word_pieces(texts)
        mask = tf.sequence_mask(pieces.row_lengths(), dtype=tf.float32)
        vectors = self.bert(pieces.to_tensor(), mask)  # [batch, length, width]
        weights = mask / tf.reduce_sum(mask, axis=1, keepdims=True)
        mean = tf.linalg.matvec(vectors, weights, transpose_a=True)  # [batch, width]
        return tf.math.l2_normalize(mean, axis=1)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
    def lengths(self, texts: tf.Tensor) -> tf.Tensor:
        """Returns int64 `[batch]`, word pieces read of each: what it costs."""
        return self.word_pieces(texts).row_lengths()
