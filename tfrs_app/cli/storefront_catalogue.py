"""The dataset behind a published model, as the storefront knows a shop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from serving.storefront.catalogue import (
    Catalogue,
    Category,
    Column,
    Event,
    Example,
    Number,
    ProfileField,
)
from tfrs_app.cli.shoppers import shopper_of
from tfrs_app.contract.features import ITEM_ID, Feature, Kind, Role

if TYPE_CHECKING:
    from tfrs_app.cli.shop import Shop
    from tfrs_app.data.dataset import Dataset

EXAMPLES = 200
_SEED = 42


def catalogue_of(shop: Shop, name: str) -> Catalogue:
    """Returns what the page shows of a shop.

    Args:
        shop: behind the newest model.
        name: of the shop.
    """
    dataset = shop.dataset
    spec, log = dataset.spec, dataset.events
    item_ids = _strings(dataset.catalogue[ITEM_ID])
    return Catalogue(
        shop=name,
        item_ids=item_ids,
        texts=_texts(dataset),
        columns=[_column(dataset, f) for f in spec.of(Role.CANDIDATE) if f.filters],
        popularity=np.bincount(log.item, minlength=len(item_ids)).tolist(),
        listed=dataset.listed.tolist(),
        event_types=sorted(spec.event_weights, key=spec.event_weights.__getitem__),
        profile=_profile(dataset),
        examples=_examples(shop),
        moment=int(log.timestamp.max(initial=0)) + 1,
    )


def _texts(dataset: Dataset) -> list[str]:
    """Returns each item's texts, else its categories."""
    spec = dataset.spec
    told = spec.of(Role.CANDIDATE, Kind.TEXT) or spec.of(
        Role.CANDIDATE, Kind.CATEGORICAL
    )
    columns = [_strings(dataset.catalogue[feature.name]) for feature in told]
    if not columns:
        return [""] * len(dataset.catalogue[ITEM_ID])
    return [" | ".join(filter(None, texts)) for texts in zip(*columns, strict=True)]


def _column(dataset: Dataset, feature: Feature) -> Column:
    values = dataset.catalogue[feature.name]
    if feature.kind is Kind.CATEGORICAL:
        return Category(feature.name, _strings(values))
    return Number(feature.name, values.astype(float).tolist())


def _profile(dataset: Dataset) -> list[ProfileField]:
    spec = dataset.spec
    kinds = (Kind.CATEGORICAL, Kind.NUMERIC, Kind.BUCKETIZED)
    return [
        ProfileField(
            feature.name,
            sorted(filter(None, dataset.vocabularies[feature.name]))
            if feature.kind is Kind.CATEGORICAL
            else None,
        )
        for role in (Role.QUERY, Role.CONTEXT)
        for feature in spec.of(role, *kinds)
    ]


def _examples(shop: Shop) -> list[Example]:
    """Returns users drawn at random, those with the richest histories first."""
    log = shop.dataset.events
    lengths = np.diff(log.row_splits)
    busy = np.flatnonzero(lengths)
    drawn = np.random.default_rng(_SEED).permutation(busy)[:EXAMPLES]
    told = np.array([bool(_profile_of(log.profile, user)) for user in drawn], bool)
    order = np.lexsort((-lengths[drawn], ~told))
    return [_example(shop, int(user)) for user in drawn[order]]


def _profile_of(profile: Any, user: int) -> list[Any]:
    return [values[user] for values in profile.values() if values[user] not in (b"",)]


def _example(shop: Shop, user: int) -> Example:
    dataset = shop.dataset
    shopper = shopper_of(dataset, user, shop.history_length)
    events = zip(shopper.history, shopper.event_types, shopper.timestamps, strict=True)
    return Example(
        shopper_id=dataset.events.user_id[user].decode(),
        events=[Event(item, kind, int(when)) for item, kind, when in events],
        moment=int(shopper.timestamp or 0),
        features={name: _value(value) for name, value in shopper.features.items()},
    )


def _value(value: Any) -> str | float:
    return value.decode() if isinstance(value, bytes) else float(value)


def _strings(values: Any) -> list[str]:
    return [value.decode() for value in values]
