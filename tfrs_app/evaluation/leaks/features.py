"""Tests every feature of a dataset for knowledge of the test window."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tfrs_app.contract.features import Kind, Role
from tfrs_app.data.dataset import Dataset
from tfrs_app.evaluation.leaks.context import context_leak
from tfrs_app.evaluation.leaks.growth import activity_of, growth
from tfrs_app.evaluation.leaks.measurement import Measurement
from tfrs_app.evaluation.leaks.profile import profile_leak

REMEDIES = {
    Role.CANDIDATE: "compute it from what was known before data.split.test_start, or "
    "leave it out",
    Role.QUERY: "compute it from what was known before data.split.test_start, or "
    "leave it out",
    Role.CONTEXT: "a request must know it before the purchase; leave it out otherwise",
}


def measure_features(dataset: Dataset) -> list[Measurement]:
    """Returns what each test found for each feature, the worst first.

    The model reads an item's and a user's features as if they had always been so;
    a column that was computed over the whole span carries the future into the past.
    """
    found = [*_candidates(dataset), *_profiles(dataset), *_contexts(dataset)]
    return sorted(found, key=lambda part: -part.value / part.limit)


def warnings_of(dataset: Dataset, measured: list[Measurement]) -> list[str]:
    """Returns a sentence for each suspicious figure: evidence, limit, remedy."""
    roles = {feature.name: feature.role for feature in dataset.spec.features}
    return [
        f"{part.feature} may know the future: {part.evidence}, more than "
        f"{part.limit:g}; {REMEDIES[roles[part.feature]]}"
        for part in measured
        if part.suspicious
    ]


def _window(dataset: Dataset) -> tuple[int, int]:
    log, split = dataset.events, dataset.split
    return split.test_start, split.test_end or int(log.timestamp.max()) + 1


def _candidates(dataset: Dataset) -> Iterator[Measurement]:
    log, catalogue = dataset.events, dataset.catalogue
    items = len(dataset.train_events)
    activity = activity_of(log, log.item, items, *_window(dataset))
    for feature in dataset.spec.of(Role.CANDIDATE):
        yield from growth(
            feature.name,
            "items",
            catalogue[feature.name],
            activity,
            is_text=feature.kind is Kind.TEXT,
        )


def _profiles(dataset: Dataset) -> Iterator[Measurement]:
    log, window = dataset.events, _window(dataset)
    activity = activity_of(log, log.user, log.users, *window)
    for name, values in log.profile.items():
        yield from growth(name, "users", values, activity)
        found = profile_leak(name, values, log, *window)
        if found:
            yield found


def _contexts(dataset: Dataset) -> Iterator[Measurement]:
    log = dataset.events
    for name, values in log.context.items():
        found = context_leak(name, np.asarray(values), log, *_window(dataset))
        if found:
            yield found
