"""A draft as YAML that a person reads and goes on with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from tfrs_app.cli.init.draft import Draft, TableDraft
from tfrs_app.cli.init.features import FeatureGuess
from tfrs_app.contract.data_config import PLAIN_CSV
from tfrs_app.contract.features import Kind

_WIDE = 10**6


def yaml_of(draft: Draft, program: str) -> str:
    """Returns the text of a config.

    Args:
        draft: what it says.
        program: what a person types to run this program.
    """
    return "".join(f"{line}\n" for line in _lines(draft, program))


def _lines(draft: Draft, program: str) -> Iterator[str]:
    yield f"# Guessed from the tables by `{program} init`: read it and correct it."
    yield "# docs/configuration.md lists every key."
    yield f"shop: {_flow(draft.shop)}"
    yield ""
    yield "data:"
    for name, table in draft.tables.items():
        yield from _table(name, table, draft)
    yield "  # Time is cut in three: training, validation, test."
    yield f"  # {draft.split.why}."
    yield "  split:"
    yield f"    validation_start: {draft.split.validation_start}"
    yield f"    test_start: {draft.split.test_start}"
    yield ""
    yield "# How much an event of each type counts; the weightiest is the purchase."
    yield f"event_weights: {_flow(draft.types.weights)}"
    yield ""
    yield "features:"
    for feature in draft.features:
        yield f"  - {_flow(_feature(feature))}  # {_comment(feature.why)}"
    moment = {"name": "timestamp", "role": "context", "kind": "timestamp", "dim": 8}
    yield f"  - {_flow(moment)}  # hour and weekday of the request"
    for column in draft.left_out:
        yield f"  # {_comment(repr(column.column))} is left out: {_comment(column.why)}"
    yield from _models(draft)


def _table(name: str, table: TableDraft, draft: Draft) -> Iterator[str]:
    section = table.sample.section
    yield f"  {name}:"
    yield f"    source: {_flow(section.source)}"
    if section.format is not None:
        yield f"    format: {section.format}"
    if section.csv != PLAIN_CSV:
        plain = PLAIN_CSV.model_dump()
        dialect = {k: v for k, v in section.csv.model_dump().items() if v != plain[k]}
        yield f"    csv: {_flow(dialect)}"
    if table.columns:
        yield f"    columns: {_flow(table.columns)}"
    if name == "events":
        yield from _event_keys(draft)
    if table.where:
        yield f"    where: {_flow(table.where)}  # rows without an id"


def _event_keys(draft: Draft) -> Iterator[str]:
    if draft.zone.name is not None:
        yield f"    timezone: {draft.zone.name}  # {draft.zone.why}"
    if draft.only_type not in (None, "purchase"):
        yield f"    event_type: {draft.only_type}"
    if draft.types.values:
        yield f"    # The file's value -> event type; null: left out ({_why(draft)})."
        yield f"    event_types: {_flow(draft.types.values)}"


def _why(draft: Draft) -> str:
    return _comment(draft.types.why)


def _models(draft: Draft) -> Iterator[str]:
    texts = [f for f in draft.features if f.kind is Kind.TEXT]
    if texts:
        yield ""
        yield "# Lets the towers read the items' texts, see docs/text.md."
        yield "# text: {}"
    if draft.batch_size is not None:
        yield ""
        yield "# Few events make small batches."
        yield f"retrieval: {{batch_size: {draft.batch_size}}}"
    yield ""
    yield "# The ranker reorders what the towers find; drop it for the towers alone."
    yield "ranking: {}"


def _feature(feature: FeatureGuess) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": feature.name,
        "role": str(feature.role),
        "kind": str(feature.kind),
    }
    if feature.column != feature.name:
        entry["columns"] = [feature.column]
    if feature.dim is not None:
        entry["dim"] = feature.dim
    return entry


def _flow(value: Any) -> str:
    """Returns a value as one line of YAML."""
    text = yaml.safe_dump(
        value,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDE,
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _comment(text: str) -> str:
    """Returns a text that ends no comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
