"""A dataset with every string looked up once: what training and evaluation feed on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tfrs_app.contract.features import HISTORY_EVENT_TYPE, ITEM_ID, Kind, Role
from tfrs_app.data.dataset import Dataset
from tfrs_app.data.windows import QueryReader
from tfrs_app.layers.lookup import FeatureLookup


@dataclass(frozen=True)
class EncodedDataset:
    """Pairs a dataset with its look-up layers and its looked-up catalogue.

    Args:
        dataset: as opened from disk.
        lookup: the layers that map strings to indices.
        catalogue: looked-up candidate features, `[items]` each.
    """

    dataset: Dataset
    lookup: FeatureLookup
    catalogue: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, dataset: Dataset) -> EncodedDataset:
        """Builds the look-ups from the vocabularies and looks the catalogue up."""
        lookup = FeatureLookup(dataset.spec, dataset.vocabularies)
        texts = {f.name for f in dataset.spec.of(Role.CANDIDATE, Kind.TEXT)}
        raw = {k: v for k, v in dataset.catalogue.items() if k not in texts}
        return cls(dataset, lookup, _looked_up(lookup, raw))

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
