"""Finds the dataset that came before one of the same shop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tfrs_app.contract.artifacts import MANIFEST, Manifest, read_manifest
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.quality import QUALITY, Quality, read_quality
from tfrs_app.data.gates import Counts


@dataclass(frozen=True)
class Previous:
    """Names a dataset and what it held."""

    id: str
    quality: Quality


@dataclass(frozen=True)
class Made:
    """Says what a manifest says, or will say, of a dataset."""

    identity: str
    parent: str | None
    spec_fingerprint: str
    created: str
    counts: Counts

    @classmethod
    def of(cls, manifest: Manifest) -> Made:
        """Returns what the manifest of a published dataset says."""
        return cls(
            identity=manifest.id,
            parent=manifest.parent,
            spec_fingerprint=manifest.spec_fingerprint,
            created=manifest.created,
            counts=manifest.counts,
        )


def named(datasets: Path, identity: str) -> Previous:
    """Returns the dataset of an id.

    Raises:
        ArtifactError: there is none, or an earlier version made it.
    """
    read_manifest(datasets / identity)
    return Previous(identity, read_quality(datasets / identity))


def previous_of(datasets: Path, later: Made, quality: Quality) -> Previous | None:
    """Returns the dataset that was extended, else the newest one before; None: none.

    Newest is which has the latest last event, then which was made last. Only datasets
    of the same features that are no newer than the later one come into question.

    Args:
        datasets: the folder of the shop's datasets.
        later: the dataset to compare.
        quality: its quality.json.
    """
    if later.parent is not None and (datasets / later.parent / QUALITY).is_file():
        return named(datasets, later.parent)
    newest = max(_before(datasets, later, quality), default=None)
    return named(datasets, newest[-1]) if newest else None


def _before(
    datasets: Path, later: Made, quality: Quality
) -> Iterator[tuple[datetime, str, str]]:
    until = (_moment(quality.time.last), later.created)
    for path in sorted(datasets.glob(f"*/{MANIFEST}")):
        try:
            manifest = read_manifest(path.parent)
            found = read_quality(path.parent)
        except ArtifactError:
            continue  # damaged or of an earlier version: nothing to compare with
        when = (_moment(found.time.last), manifest.created)
        same = manifest.spec_fingerprint == later.spec_fingerprint
        if same and manifest.id != later.identity and when <= until:
            yield (*when, manifest.id)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
