"""A dataset with every string looked up once: what training and evaluation feed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import HISTORY_EVENT_TYPE, ITEM_ID, Kind, Role
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.text_embeddings import TextEmbeddings
from tfrs_app.data.windows import QueryReader
from tfrs_app.layers.lookup import FeatureLookup


@dataclass(frozen=True)
class EncodedDataset:
    """Pairs a dataset with its look-up layers and its looked-up catalogue.

    Args:
        dataset: as opened from disk.
        lookup: the layers that map strings to indices. Its item indices go on, after
            the vocabulary, with the catalogue's other items: too rare for an embedding
            of their own, they still have content.
        catalogue: looked-up candidate features, `[items]` each.
        texts: the items' embedded texts, or None.
    """

    dataset: Dataset
    lookup: FeatureLookup
    catalogue: Mapping[str, np.ndarray]
    texts: TextEmbeddings | None = field(default=None)

    @classmethod
    def of(
        cls, dataset: Dataset, texts: TextEmbeddings | None = None
    ) -> EncodedDataset:
        """Builds the look-ups from the vocabularies and looks the catalogue up."""
        known = dataset.vocabularies[ITEM_ID]
        ids = [item.decode() for item in dataset.catalogue[ITEM_ID]]
        others = sorted(set(ids) - set(known))
        vocabularies = {**dataset.vocabularies, ITEM_ID: [*known, *others]}
        lookup = FeatureLookup(dataset.spec, vocabularies)
        declared = {f.name for f in dataset.spec.of(Role.CANDIDATE, Kind.TEXT)}
        raw = {k: v for k, v in dataset.catalogue.items() if k not in declared}
        return cls(dataset, lookup, _looked_up(lookup, raw), texts)

    @cached_property
    def content_by_index(self) -> dict[str, np.ndarray]:
        """Returns the catalogue's features by item index; missing for no item's index.

        For a text feature: rows of `texts.vectors`, behind which one row of zeros is
        taken to stand.
        """
        columns = {k: v for k, v in self.catalogue.items() if k != ITEM_ID}
        missing = {
            name: np.nan if values.dtype.kind == "f" else 0
            for name, values in columns.items()
        }
        if self.texts is not None:
            columns |= self.texts.rows
            missing |= dict.fromkeys(self.texts.rows, len(self.texts.vectors))
        # A continued vocabulary keeps the places of items that are gone.
        indices = self.lookup.item_id.vocabulary_size()
        by_index = {
            name: np.full(indices, missing[name], values.dtype)
            for name, values in columns.items()
        }
        for name, values in columns.items():
            by_index[name][self.catalogue[ITEM_ID]] = values
        return by_index

    @cached_property
    def distinct_texts(self) -> np.ndarray:
        """Returns the text of each row of `texts.vectors`, bytes `[texts]`."""
        assert self.texts is not None
        found = np.full(len(self.texts.vectors), b"", object)
        for name, rows in self.texts.rows.items():
            found[rows] = self.dataset.catalogue[name]
        return found

    def reader(self, history_length: int) -> QueryReader:
        """Returns a reader that cuts looked-up queries from the event log."""
        log = self.dataset.events
        types = {HISTORY_EVENT_TYPE: np.array(self.dataset.spec.event_types)}
        return QueryReader(
            log,
            item_token=self.catalogue[ITEM_ID],
            type_token=_looked_up(self.lookup, types)[HISTORY_EVENT_TYPE],
            profile=_looked_up(self.lookup, log.profile),
            context=_looked_up(self.lookup, log.context),
            history_length=history_length,
        )


def _looked_up(
    lookup: FeatureLookup, raw: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    tensors = {name: tf.constant(values) for name, values in raw.items()}
    looked_up = {name: tensor.numpy() for name, tensor in lookup(tensors).items()}
    return {
        name: values.astype(np.int32) if values.dtype == np.int64 else values
        for name, values in looked_up.items()
    }
