"""Shows in the terminal what was guessed, and lets a person correct it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import TypeVar
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tfrs_app.cli.init.draft import Draft, Zone
from tfrs_app.cli.init.event_types import EventTypes
from tfrs_app.cli.init.features import FeatureGuess
from tfrs_app.cli.init.log import SplitGuess
from tfrs_app.cli.init.mapping import Choices, check_timestamp, corrected
from tfrs_app.cli.init.sample import Sample
from tfrs_app.contract.dataset import TABLE_COLUMNS, TIMESTAMP
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import Kind, Role

NONE = "-"
"""What is typed for no column, and for a feature that is none."""
_YOURS = "as you say"
_Answer = TypeVar("_Answer")


def show(draft: Draft, console: Console) -> None:
    """Prints every guess and why it was made."""
    table = Table("key", "value", "why", title=f"guessed for {escape(draft.shop)}")
    for row in _rows(draft):
        table.add_row(*map(escape, row))
    console.print(table)


def _rows(draft: Draft) -> list[tuple[str, str, str]]:
    rows = []
    for name, chosen in draft.choices.items():
        section = draft.tables[name].sample.section
        rows.append((name, section.source, _format(draft, name)))
        for role, choice in chosen.items():
            key = f"{name}.{role}"
            rows.append((key, choice.column or NONE, choice.why))
    rows.append(("events.timezone", draft.zone.name or NONE, draft.zone.why))
    split = draft.split
    rows.append(("validation_start", f"{split.validation_start}", split.why))
    rows.append(("test_start", f"{split.test_start}", ""))
    told = ", ".join(
        f"{name} {weight:g}" for name, weight in draft.types.weights.items()
    )
    rows.append(("event_weights", told, draft.types.why))
    for feature in draft.features:
        kind = f"{feature.role} {feature.kind}"
        rows.append((f"feature {feature.name}", kind, feature.why))
    rows += [(f"column {c.column}", NONE, c.why) for c in draft.left_out]
    return rows


def _format(draft: Draft, name: str) -> str:
    sample = draft.tables[name].sample
    kind = sample.files[0].format
    if kind != "csv":
        return kind
    dialect = sample.section.csv
    return f"csv, {dialect.encoding}, cut by {dialect.delimiter!r}"


def correct_columns(
    samples: Mapping[str, Sample], choices: Mapping[str, Choices]
) -> dict[str, Choices]:
    """Asks for every column of the contract; Enter accepts the guess."""
    return {
        table: _correct_table(samples[table], chosen)
        for table, chosen in choices.items()
    }


def _correct_table(sample: Sample, choices: Choices) -> Choices:
    required, _ = TABLE_COLUMNS[sample.table]
    for role, choice in choices.items():

        def parsed(text: str, role: str = role) -> str | None:
            if text == NONE and role not in required:
                return None
            column = sample.column(text)
            if role == TIMESTAMP:
                check_timestamp(column, sample.name)
            return column.name

        question = f"{sample.table}: {role} ({choice.why})"
        column = _ask(question, choice.column or NONE, parsed)
        if column != choice.column:
            choices = corrected(choices, role, column)
    return choices


def correct_zone(zone: Zone) -> Zone:
    """Asks for the zone of moments that carry none."""
    if zone.name is None:
        return zone
    name = _ask(f"events: time zone ({zone.why})", zone.name, _zone)
    return zone if name == zone.name else Zone(name, _YOURS)


def correct(draft: Draft) -> Draft:
    """Asks for everything beside the columns; Enter accepts the guess."""
    split, types = _correct_split(draft.split), _correct_weights(draft.types)
    features = [_correct_feature(feature) for feature in draft.features]
    kept = tuple(feature for feature in features if feature is not None)
    return replace(draft, split=split, types=types, features=kept)


def _correct_split(split: SplitGuess) -> SplitGuess:
    test = _ask(f"test begins ({split.why})", f"{split.test_start}", _date)

    def earlier(text: str) -> date:
        day = _date(text)
        if day >= test:
            raise DataError(
                f"{day} is not before the test, {test}; give an earlier day"
            )
        return day

    before = min(
        split.validation_start, test - (split.test_start - split.validation_start)
    )
    validation = _ask("validation begins", f"{before}", earlier)
    unchanged = (validation, test) == (split.validation_start, split.test_start)
    return split if unchanged else SplitGuess(validation, test, _YOURS)


def _correct_weights(types: EventTypes) -> EventTypes:
    weights = {
        name: _ask(f"weight of a {name}", f"{weight:g}", _weight)
        for name, weight in types.weights.items()
    }
    return replace(types, weights=weights)


def _correct_feature(feature: FeatureGuess) -> FeatureGuess | None:
    kinds = [Kind.CATEGORICAL, Kind.BUCKETIZED, Kind.NUMERIC]
    kinds += [Kind.TEXT] if feature.role is Role.CANDIDATE else []

    def parsed(text: str) -> Kind | None:
        if text != NONE and text not in kinds:
            raise DataError(f"{text!r} is no kind; give one of {', '.join(kinds)} or -")
        return None if text == NONE else Kind(text)

    kind = _ask(f"{feature.name} ({feature.why})", str(feature.kind), parsed)
    if kind is None:
        return None
    return feature if kind is feature.kind else replace(feature, kind=kind, why=_YOURS)


def _ask(question: str, default: str, parsed: Callable[[str], _Answer]) -> _Answer:
    """Asks until the answer can be used."""
    while True:
        text: str = typer.prompt(question, default=default, err=True).strip()
        try:
            return parsed(text)
        except DataError as error:
            typer.echo(f"  {error}", err=True)


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError) as error:
        raise DataError(f"{text!r} is no time zone; give e.g. Europe/Berlin") from error


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise DataError(f"{text!r} is no day; give e.g. 2024-11-01") from error


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError as error:
        raise DataError(f"{text!r} is no number; give e.g. 0.5") from error
    if not 0 < weight < float("inf"):
        raise DataError(f"{text!r} is not above 0; leave the type out with event_types")
    return weight
