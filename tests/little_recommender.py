"""A model without a ranker but with a search, and its shop: answers known by hand."""

from pathlib import Path

import tensorflow as tf

from serving.storefront import Catalogue, Category, Event, Example, Number

ITEMS = ["a", "b", "c", "d", "e"]
TEXTS = [
    "red lamp",
    "blue lamp",
    '<img src=x onerror="window.broken=1"> & <b>bold</b>',
    "green chair",
    "old table",
]
KINDS = ["lamp", "lamp", "<i>odd</i>", "seat", "seat"]
HEIGHTS = [1.5, 2.0, float("nan"), 90.0, 75.5]
MOMENT = 1_700_000_000

_STRINGS = tf.TensorSpec([None, None], tf.string)
_NOTHING = tf.zeros([1, 0], tf.string)
_NO_TIMES = tf.zeros([1, 0], tf.int64)


class LittleRecommender(tf.Module):
    """Lists its items in their order: those allowed, not excluded, not in a history.

    The item named last in a history comes first, to show that lists follow it.
    """

    def __init__(self):
        super().__init__()
        self.items = tf.constant(ITEMS)
        self.kinds = tf.constant(KINDS)
        self.texts = tf.constant(TEXTS)

    @tf.function(
        input_signature=[
            _STRINGS, _STRINGS, tf.TensorSpec([None, None], tf.int64),
            tf.TensorSpec([None], tf.int64), _STRINGS, _STRINGS,
            tf.TensorSpec([], tf.int32),
        ]
    )  # fmt: skip
    def retrieve(
        self,
        history_item_id=_NOTHING,
        history_event_type=_NOTHING,
        history_timestamp=_NO_TIMES,
        timestamp=tf.zeros([1], tf.int64),  # noqa: B008 - a signature's default
        exclude=_NOTHING,
        allow_kind=_NOTHING,
        k=tf.constant(3),  # noqa: B008
    ):
        del history_event_type, history_timestamp, timestamp
        score = tf.range(5.0, 0.0, -1.0)
        score += 10.0 * self._among(self.items, history_item_id[:, -1:])
        score -= 100.0 * self._among(self.items, exclude)
        if tf.size(allow_kind) > 0:
            score -= 100.0 * (1.0 - self._among(self.kinds, allow_kind))
        return self._best(score, k)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.string), _STRINGS, _STRINGS,
            tf.TensorSpec([None, None], tf.int64), tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([], tf.int32),
        ]
    )  # fmt: skip
    def search(
        self,
        query,
        history_item_id=_NOTHING,
        history_event_type=_NOTHING,
        history_timestamp=_NO_TIMES,
        timestamp=tf.zeros([1], tf.int64),  # noqa: B008
        k=tf.constant(3),  # noqa: B008
    ):
        del history_item_id, history_event_type, history_timestamp, timestamp
        pattern = tf.strings.join([".*", query[0], ".*"])
        found = tf.strings.regex_full_match(self.texts, pattern)
        score = tf.range(5.0, 0.0, -1.0) - 100.0 * tf.cast(~found, tf.float32)
        outputs = self._best(score, k)
        return outputs | {"relevance": outputs["score"] / 10.0}

    def _among(self, values, given):
        return tf.cast(
            tf.reduce_any(values[:, tf.newaxis] == given[0], axis=1), tf.float32
        )

    def _best(self, score, k):
        best, place = tf.math.top_k(score, tf.minimum(k, len(ITEMS)))
        is_there = best > -50.0
        return {
            "item_id": tf.where(is_there, tf.gather(self.items, place), "")[tf.newaxis],
            "score": tf.where(is_there, best, 0.0)[tf.newaxis],
        }


def save_little_recommender(folder: Path) -> None:
    module = LittleRecommender()
    signatures = {
        "serving_default": module.retrieve,
        "retrieve": module.retrieve,
        "search": module.search,
    }
    tf.saved_model.save(module, str(folder), signatures=signatures)


def little_catalogue() -> Catalogue:
    return Catalogue(
        shop="little",
        item_ids=ITEMS,
        texts=TEXTS,
        columns=[Category("kind", KINDS), Number("height", HEIGHTS)],
        popularity=[1, 5, 2, 0, 0],
        listed=[True, True, True, True, False],
        event_types=["view", "cart", "purchase"],
        profile=[],
        examples=[
            Example("ann", [Event("d", "purchase", MOMENT - 50)], MOMENT),
            Example("bob", [], MOMENT),
        ],
        moment=MOMENT,
    )
