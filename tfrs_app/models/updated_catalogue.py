"""Trained towers on a catalogue that has changed since: what was learned stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import ITEM_ID
from tfrs_app.data.catalogue_update import CatalogueUpdate, UpdatedDataset, rows_of
from tfrs_app.data.text_embeddings import TextEmbeddings
from tfrs_app.data.windows import QueryReader
from tfrs_app.layers.neighbours import Kin, text_neighbours
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.retrieval import RetrievalModel

Embed = Callable[[Sequence[bytes]], np.ndarray]
"""Texts to vectors, float32 `[texts, width]`."""


def updated_dataset(
    encoded: EncodedDataset, update: CatalogueUpdate, embed: Embed
) -> EncodedDataset:
    """Returns a dataset with an updated catalogue; embeds the texts that are new.

    Args:
        encoded: as it was trained on.
        update: everything that was pushed onto its catalogue.
        embed: the encoder that its texts were embedded by.
    """
    dataset = UpdatedDataset.of(encoded.dataset, update)
    if encoded.texts is None:
        return EncodedDataset.of(dataset)
    texts, fresh = _texts(encoded, encoded.texts, dataset)
    vectors = _and_of(fresh, encoded.texts.vectors, embed)
    return EncodedDataset.of(dataset, replace(texts, vectors=vectors))


def towers_on(
    encoded: EncodedDataset, model: RetrievalModel, embed: Embed
) -> RetrievalModel:
    """Returns trained towers on a dataset with an updated catalogue.

    Args:
        encoded: the dataset with its update.
        model: as trained on the dataset before it.
        embed: the encoder that the towers' texts are embedded by, as fine-tuned if it
            was.
    """
    before = model.encoded
    moved = RetrievalModel(encoded, model.config, kin=_kin(encoded, model))
    call_once(moved, encoded.reader(model.config.longest_history))
    for part in ("query_tower", "candidate_tower"):
        pairs = zip(
            getattr(moved, part).variables, getattr(model, part).variables, strict=True
        )
        for new, old in pairs:
            if new.shape == old.shape:  # the others are set below
                new.assign(old)
    if model.factors is not None and moved.factors is not None:
        old_rows = before.catalogue[ITEM_ID]
        more = [[0, moved.catalogue_size - model.catalogue_size], [0, 0]]
        tables = (model.factors.history, model.factors.candidate)
        moved.factors.assign(*(np.pad(t.numpy()[old_rows], more) for t in tables))
    text, old_text = moved.content.features.text, model.content.features.text
    if text is not None and old_text is not None:
        known = old_text.vectors[:-1].numpy()
        fresh = encoded.distinct_texts[len(known) :].tolist()
        text.assign(_and_of(fresh, known, embed))
    return moved


def call_once(model: RetrievalModel, reader: QueryReader) -> None:
    """Makes the towers' variables, as layers do when they are first called."""
    nobody = tf.zeros([0], tf.int64)
    model.make_variables(reader(nobody, nobody, nobody, nobody))


def _and_of(fresh: Sequence[bytes], known: np.ndarray, embed: Embed) -> np.ndarray:
    """Returns known vectors with those of further texts behind them."""
    return np.concatenate([known, embed(fresh)]) if fresh else known


def _texts(
    encoded: EncodedDataset, texts: TextEmbeddings, dataset: UpdatedDataset
) -> tuple[TextEmbeddings, list[bytes]]:
    """Returns which row each item's text has, and the texts of the new rows."""
    place = {text: row for row, text in enumerate(encoded.distinct_texts)}
    old = len(place)
    fresh: list[bytes] = []
    touched = rows_of(dataset.catalogue[ITEM_ID], dataset.update.columns[ITEM_ID])
    rows = {}
    for name, known in texts.rows.items():
        rows[name] = np.pad(known, (0, dataset.new_items))
        for item, text in zip(touched, dataset.update.columns[name], strict=True):
            if text not in place:
                place[text] = old + len(fresh)
                fresh.append(text)
            rows[name][item] = place[text]
    return replace(texts, rows=rows), fresh


def _kin(encoded: EncodedDataset, model: RetrievalModel) -> Kin | None:
    """Returns the items worded alike: those that old items have, if they are the same.

    What is new or reworded is compared with everything.
    """
    if model.kin is None or encoded.texts is None or model.encoded.texts is None:
        return None
    texts, before = encoded.texts, model.encoded.texts
    same = [rows[: before.items] == before.rows[f] for f, rows in texts.rows.items()]
    touched = np.ones(texts.items, bool)
    touched[: before.items] = ~np.all(same, axis=0)
    of = np.flatnonzero(touched)
    count = model.kin.rows.shape[1]
    found = text_neighbours(texts.vectors, texts.rows, count, of)
    tables = []
    for old, new in zip(model.kin, found, strict=True):
        table = np.pad(old.numpy(), [[0, texts.items - before.items], [0, 0]])
        table[of] = new
        tables.append(tf.constant(table))
    return Kin(*tables)
