"""A dataset whose events say something else: what must not matter, may be changed."""

import dataclasses

import numpy as np

from tfrs_app.data.dataset import Dataset


def scrambled(dataset, changed):
    """The dataset with random items and types in some events."""
    log, random = dataset.events, np.random.default_rng(3)
    other = Dataset.open(dataset.folder)
    items = random.integers(len(dataset.train_events), size=len(log.item))
    types = random.integers(len(log.type_weight), size=len(log.item))
    other.__dict__["events"] = dataclasses.replace(
        log,
        item=np.where(changed, items, log.item).astype(np.int32),
        event_type=np.where(changed, types, log.event_type).astype(np.int32),
    )
    return other
