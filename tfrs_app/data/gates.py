"""Judges a dataset by the gates of its config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from tfrs_app.contract.errors import DataError
from tfrs_app.contract.features import ITEM_ID
from tfrs_app.contract.gates import GatesConfig
from tfrs_app.contract.quality import Quality, share
from tfrs_app.data.drift import Drift

Counts: TypeAlias = Mapping[str, Any]
"""Row balance of each table, as a manifest has it."""


@dataclass(frozen=True)
class Verdict:
    """Tells what a gate measured; the remedy counts where it is not kept."""

    key: str
    limit: float
    value: float
    kept: bool
    remedy: str

    @property
    def sentence(self) -> str:
        """Returns rule, value and remedy of a gate that is not kept."""
        return (
            f"{self.key}: {written(self.value)} is beyond the limit "
            f"{written(self.limit)}; {self.remedy}, or change the limit"
        )


def verdicts(
    gates: GatesConfig,
    quality: Quality,
    counts: Counts,
    drift: Sequence[Drift],
) -> list[Verdict]:
    """Returns what each gate of a config measured, those that are not kept first.

    Args:
        gates: the limits.
        quality: the dataset's.
        counts: the row balance of the dataset's manifest.
        drift: against the dataset before; empty without one, which leaves that gate
            out.
    """
    found = [
        *_nulls(gates, quality),
        *_oov(gates, quality),
        *_tables(gates, quality, counts),
        *_drift(gates, drift),
    ]
    return sorted(found, key=lambda verdict: verdict.kept)


def check_gates(found: Sequence[Verdict]) -> None:
    """Checks that every gate is kept.

    Raises:
        DataError: one sentence for each that is not.
    """
    broken = [verdict.sentence for verdict in found if not verdict.kept]
    if broken:
        raise DataError("\n".join(broken))


def _nulls(gates: GatesConfig, quality: Quality) -> Iterator[Verdict]:
    for name, limit in gates.max_nulls.items():
        column = quality.features[name]
        wanted = f"fill column {column.columns[0]!r} of data.{column.table}"
        yield _at_most(f"max_nulls.{name}", limit, column.total.null_rate, wanted)


def _oov(gates: GatesConfig, quality: Quality) -> Iterator[Verdict]:
    for name, limit in gates.max_oov.items():
        key = f"max_oov.{name}"
        if name == ITEM_ID:
            rate = quality.items.spans["test"].oov_rate
            remedy = "lower data.item_min_users or let the training span end later"
        else:
            rate = quality.features[name].judged.oov_rate
            remedy = f"lower features.{name}.min_count or clean the column"
        yield _at_most(key, limit, rate, remedy)


def _tables(gates: GatesConfig, quality: Quality, counts: Counts) -> Iterator[Verdict]:
    if gates.max_duplicates is not None:
        events = counts["events"]
        rate = share(events["duplicates"], events["rows_in"])
        remedy = "look for files that data.events.source names twice"
        yield _at_most("max_duplicates", gates.max_duplicates, rate, remedy)
    if gates.max_orphan_items is not None:
        rate = share(quality.items.orphans, quality.items.catalogue)
        remedy = "leave out items that are no longer sold with data.items.where"
        yield _at_most("max_orphan_items", gates.max_orphan_items, rate, remedy)
    if gates.min_events is not None:
        rows, limit = quality.rows["events"], gates.min_events
        remedy = "look for missing files of data.events.source"
        key = "data.gates.min_events"
        yield Verdict(key, limit, rows, rows >= limit, remedy)


def _drift(gates: GatesConfig, drift: Sequence[Drift]) -> Iterator[Verdict]:
    moved = [part for part in drift if part.gated]
    if gates.max_drift is None or not moved:
        return
    worst = max(moved, key=lambda part: part.psi)
    remedy = f"see what changed in {worst.name} since the dataset before"
    yield _at_most("max_drift", gates.max_drift, worst.psi, remedy)


def _at_most(key: str, limit: float, value: float, remedy: str) -> Verdict:
    return Verdict(f"data.gates.{key}", limit, value, value <= limit, remedy)


def written(value: float) -> str:
    """Returns a count in full, a share or an index by four digits."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
