"""A config in the making: everything that was guessed, with its reasons."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tfrs_app.cli.init.event_types import (
    EventTypes,
    one_type,
    type_of_file,
    types_of,
)
from tfrs_app.cli.init.features import (
    FeatureGuess,
    LeftOut,
    filters_of,
    item_features,
    user_features,
)
from tfrs_app.cli.init.log import Log, SplitGuess, batch_size_of, split_of
from tfrs_app.cli.init.mapping import Choices, mapped
from tfrs_app.cli.init.names import is_german, words_of
from tfrs_app.cli.init.sample import Sample
from tfrs_app.contract.dataset import EVENT_TYPE, TIMESTAMP
from tfrs_app.contract.features import ITEM_ID, USER_ID


@dataclass(frozen=True)
class TableDraft:
    """Holds one table's section."""

    sample: Sample
    columns: dict[str, str | None]
    where: str | None = None


@dataclass(frozen=True)
class Zone:
    """Holds the time zone of moments without one; None where all have one."""

    name: str | None
    why: str


@dataclass(frozen=True)
class Draft:
    """Holds a whole config, its reasons beside the values."""

    shop: str
    tables: dict[str, TableDraft]
    choices: Mapping[str, Choices]
    zone: Zone
    types: EventTypes
    split: SplitGuess
    batch_size: int | None
    features: tuple[FeatureGuess, ...]
    left_out: tuple[LeftOut, ...] = field(default=())

    @property
    def only_type(self) -> str | None:
        """Returns the type of all events, where no column tells it."""
        untold = self.choices["events"][EVENT_TYPE].column is None
        return next(iter(self.types.weights)) if untold else None


def zone_of(events: Sample, choices: Choices) -> Zone:
    """Guesses the time zone of the events' moments."""
    column = events.column(str(choices[TIMESTAMP].column))
    if not column.naive:
        return Zone(None, "the moments carry their zone")
    headers = [choice.column for choice in choices.values() if choice.column]
    if is_german(headers):
        return Zone(
            "Europe/Berlin", "the moments carry no zone, the headers are German"
        )
    return Zone("UTC", "the moments carry no zone")


def drafted(
    shop: str,
    samples: Mapping[str, Sample],
    choices: Mapping[str, Choices],
    zone: Zone,
    log: Log,
) -> Draft:
    """Puts a config together.

    Args:
        shop: its name.
        samples: events, items and perhaps users.
        choices: their columns.
        zone: of the moments.
        log: what all events say.

    Raises:
        DataError: the events last too short.
    """
    split = split_of(log.seconds)
    features, left_out = _all_features(samples, choices)
    if log.types:
        types = types_of(log.types)
    else:
        types = one_type(type_of_file(samples["events"].name))
    return Draft(
        shop=shop,
        tables={
            name: TableDraft(
                sample, mapped(sample, choices[name]), _where(sample, choices[name])
            )
            for name, sample in samples.items()
        },
        choices=choices,
        zone=zone,
        types=types,
        split=split,
        batch_size=batch_size_of(log.seconds, split.validation_start),
        features=tuple(features),
        left_out=tuple(left_out),
    )


def _all_features(
    samples: Mapping[str, Sample], choices: Mapping[str, Choices]
) -> tuple[list[FeatureGuess], list[LeftOut]]:
    key = str(choices["items"][ITEM_ID].column)
    features, left_out = item_features(samples["items"].columns, key)
    if "users" in samples:
        key, taken = str(choices["users"][USER_ID].column), filters_of(features)
        more, further = user_features(samples["users"].columns, key, taken)
        features, left_out = features + more, left_out + further
    return features, left_out


def _where(sample: Sample, choices: Choices) -> str | None:
    """Returns the filter of rows without an id, which would be rejects."""
    columns = [choices[role].column for role in (USER_ID, ITEM_ID) if role in choices]
    lacking = [
        name
        for name in columns
        if name
        and name.isidentifier()
        and not keyword.iskeyword(name)
        and (column := sample.column(name)).filled < column.rows
    ]
    return " and ".join(f"{name} is not None" for name in lacking) or None


def shop_name(given: str | None, source: str) -> str:
    """Returns a name that a shop may have: as given, or after the tables' folder."""
    folder = Path(source).absolute().parent.name
    words = words_of(given or "") or words_of(folder) or ["my", "shop"]
    name = "_".join(words)
    return name if name[0].isalpha() else f"shop_{name}"
