"""Embeds items that the catalogue lacks by what they are like."""

from __future__ import annotations

import math
from collections.abc import Mapping

import tensorflow as tf

from tfrs_app.contract.features import Feature, Kind, Role
from tfrs_app.export.item_texts import ItemTexts
from tfrs_app.export.requests import Input
from tfrs_app.layers.lookup import UNKNOWN
from tfrs_app.layers.text import TextEncoder
from tfrs_app.models.retrieval import RetrievalModel, and_of_kin


class ItemEmbedder(tf.Module):
    """Knows an item by its features, as the candidate tower does one without events.

    Args:
        model: the trained towers.
        moment_s: as of which other items' trends are known.
        texts: of the catalogue, if the towers read texts.
        encoder: by which the towers read them, as fine-tuned if it was.
    """

    def __init__(
        self,
        model: RetrievalModel,
        moment_s: int,
        texts: ItemTexts | None,
        encoder: TextEncoder | None,
    ) -> None:
        super().__init__(name="item_embedder")
        spec = model.encoded.dataset.spec
        # A text that the towers do not read tells them nothing of a new item.
        self.features: tuple[Feature, ...] = tuple(
            f
            for f in spec.of(Role.CANDIDATE)
            if f.kind is not Kind.TEXT or texts is not None
        )
        self.lookup, self.tower = model.encoded.lookup, model.candidate_tower
        self.content = model.content.features
        self.texts, self.encoder = texts, encoder
        self.neighbours = 0 if model.kin is None else int(model.kin.rows.shape[1])
        self.index = tf.constant(model.encoded.catalogue["item_id"])
        self.trends = None
        if model.trends is not None:
            trends = model.trends(tf.constant(moment_s, tf.int64))
            # Behind the last one an item that nobody has had yet.
            self.trends = tf.constant(tf.pad(trends, [[0, 1], [0, 0]]))

    @property
    def inputs(self) -> dict[str, Input]:
        """Returns the inputs that describe items; what is omitted is missing."""
        return {
            f.name: Input(tf.TensorSpec([None], tf.string, f.name), tf.constant([""]))
            if f.kind.is_string
            else Input(
                tf.TensorSpec([None], tf.float32, f.name), tf.constant([math.nan])
            )
            for f in self.features
        }

    def __call__(self, inputs: Mapping[str, tf.Tensor], count: tf.Tensor) -> tf.Tensor:
        """Returns `[count, width]` of raw features `[count]` each."""
        texts = {f.name for f in self.features if f.kind is Kind.TEXT}
        others = {f.name: inputs[f.name] for f in self.features if f.name not in texts}
        columns = self.lookup(others)
        kin = trends = None
        if self.texts is not None and self.encoder is not None:
            columns |= {name: self.encoder(inputs[name]) for name in texts}
            if self.neighbours:
                summed = tf.add_n([self.texts.encoder(inputs[name]) for name in texts])
                kin = self.texts.kin(summed, self.neighbours)
        if self.trends is not None:
            last = tf.shape(self.trends)[0] - 1
            trends = and_of_kin(self.trends, tf.fill([count], last), kin, None)
        if kin is not None:
            kin = kin._replace(rows=tf.gather(self.index, kin.rows))
        nobody = tf.fill([count], UNKNOWN)
        content = self.content(columns)
        return self.tower(nobody, trends, kin=kin, content=content)
