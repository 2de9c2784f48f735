"""Everything that is to be told of a dataset's soundness, in one place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tfrs_app.contract.artifacts import Layout
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.features import ITEM_ID
from tfrs_app.contract.quality import (
    ColumnQuality,
    Quality,
    read_quality,
    share,
)
from tfrs_app.data.drift import CHANGED, STABLE, Drift, drifts
from tfrs_app.data.gates import Counts, Verdict, verdicts
from tfrs_app.data.previous import Made, named, previous_of

MANY_NULLS = 0.5
MANY_OOV = 0.2
MANY_DUPLICATES = 0.05
MANY_ORPHANS = 0.5


@dataclass(frozen=True)
class Validation:
    """Holds a dataset's figures, how far they drifted, and what the gates say."""

    shop: str
    identity: str
    quality: Quality
    counts: Counts
    previous: str | None
    """Id of the dataset compared with."""
    drift: tuple[Drift, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def columns(self) -> dict[str, ColumnQuality]:
        """Returns item ids, features and the events' other columns, by shown name."""
        contract = self.quality.contract_columns.items()
        others = {f"events.{name}": column for name, column in contract}
        ids = self.quality.items.column
        return {ITEM_ID: ids, **self.quality.features, **others}

    def drift_of(self, name: str) -> float | None:
        """Returns the PSI of a name; None where nothing was compared."""
        return next((part.psi for part in self.drift if part.name == name), None)


def validate(
    config: ShopConfig, folder: Path, made: Made, against: str | None = None
) -> Validation:
    """Judges a dataset.

    Args:
        config: the shop, whose gates count.
        folder: the dataset's, or that of one not yet published.
        made: what its manifest says, or will say.
        against: id of the dataset to compare with; None: the one before.

    Raises:
        ArtifactError: an earlier version made a dataset, or `against` does not exist.
    """
    quality = read_quality(folder)
    datasets = Layout(root=config.root).datasets
    previous = (
        named(datasets, against) if against else previous_of(datasets, made, quality)
    )
    moved = drifts(previous.quality, quality) if previous else []
    judged = verdicts(config.data.gates, quality, made.counts, moved)
    return Validation(
        shop=config.shop,
        identity=made.identity,
        quality=quality,
        counts=made.counts,
        previous=previous.id if previous else None,
        drift=tuple(moved),
        verdicts=tuple(judged),
    )


def suspicions(found: Validation) -> list[str]:
    """Returns what stands out, gates that are not kept first; may be empty."""
    broken = [verdict.sentence for verdict in found.verdicts if not verdict.kept]
    return [*broken, *_of_drift(found), *_of_columns(found), *_of_events(found)]


def by_oddness(found: Validation) -> list[str]:
    """Returns the names of all columns, the one that most likely has a fault first."""

    def oddness(name: str) -> float:
        column = found.columns[name]
        return max(
            (found.drift_of(name) or 0.0) / CHANGED,
            column.total.null_rate / MANY_NULLS,
            column.judged.oov_rate / MANY_OOV,
        )

    return sorted(found.columns, key=lambda name: -oddness(name))


def summary(found: Validation) -> list[str]:
    """Returns the lines that `prepare` ends with: time range, and the worst figures."""
    time = found.quality.time
    worst = [_worst(found, "null_rate", "nulls"), _worst(found, "oov_rate", "OOV")]
    if found.drift:
        first = found.drift[0]
        worst.append(f"drift {first.psi:.2f} {first.name} (against {found.previous})")
    return [
        f"time    {time.first} to {time.last}, {time.days:,} days, "
        f"{time.days_without_events:,} without events",
        f"worst   {', '.join(worst)}",
    ]


def percent(value: float) -> str:
    """Returns a share as people read it."""
    return f"{100 * value:.1f} %"


def _worst(found: Validation, rate: str, label: str) -> str:
    columns = found.columns.items()
    rates = [(getattr(column.judged, rate), name) for name, column in columns]
    value, name = max(rates)
    return f"{label} {percent(value)} {name}" if value else f"no {label}"


def _of_drift(found: Validation) -> Iterator[str]:
    for part in found.drift:
        if part.psi >= STABLE:
            word = "changed" if part.psi >= CHANGED else "moved"
            since = f"since dataset {found.previous}"
            yield f"{part.name} {word} {since} (PSI {part.psi:.2f})"


def _of_columns(found: Validation) -> Iterator[str]:
    for name, column in found.columns.items():
        total = column.total
        if total.null_rate >= MANY_NULLS:
            yield f"{name}: {percent(total.null_rate)} of {column.table} have no value"
        if column.judged.oov_rate >= MANY_OOV:
            yield f"{name}: {percent(column.judged.oov_rate)} outside the vocabulary"
        if column.is_constant:
            yield f"{name}: all rows have the same value"


def _of_events(found: Validation) -> Iterator[str]:
    time, items = found.quality.time, found.quality.items
    if time.days_without_events:
        yield f"{time.days_without_events:,} of {time.days:,} days without events"
    orphans = share(items.orphans, items.catalogue)
    if orphans >= MANY_ORPHANS:
        yield f"{percent(orphans)} of the catalogue has no event"
    for table, counts in found.counts.items():
        rate = share(counts["duplicates"], counts["rows_in"])
        if rate >= MANY_DUPLICATES:
            yield f"{percent(rate)} of the rows of {table} are duplicates"
    for name, spans in found.quality.labels.items():
        if not spans["train"]:
            yield f"event type {name!r} has no event in the training span"
