"""Finds the dataset to which `data.since` adds new events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tfrs_app.contract.artifacts import MANIFEST, STATS, Layout, read_manifest, verify
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ArtifactError, ConfigError


def base_of(config: ShopConfig) -> Path | None:
    """Returns the folder of the dataset to extend; None without `data.since`.

    Raises:
        ArtifactError: it is absent or damaged.
        ConfigError: no dataset fits, or the named one has other features.
    """
    since = config.data.since
    if since is None:
        return None
    layout = Layout(root=config.root)
    folder = (
        layout.dataset(config.data.base) if config.data.base else _newest(config, since)
    )
    if verify(folder).spec_fingerprint != config.spec.fingerprint:
        raise ConfigError(
            f"data.base: {folder} was made with other features or event weights; "
            "leave out data.since to make a whole dataset"
        )
    return folder


def _newest(config: ShopConfig, since: datetime) -> Path:
    found = dict(_datasets(Layout(root=config.root), config.spec.fingerprint))
    earlier = {folder: last for folder, last in found.items() if last < since}
    if earlier:
        return max(earlier, key=lambda folder: (earlier[folder], folder.name))
    listed = ", ".join(f"{folder.name} until {found[folder]}" for folder in found)
    raise ConfigError(
        f"data.since: no dataset of these features ends before {since.isoformat()} "
        f"(there are: {listed or 'none'}); name one with data.base, or leave out "
        "data.since to make a whole dataset"
    )


def _datasets(layout: Layout, spec_fingerprint: str) -> Iterator[tuple[Path, datetime]]:
    """Yields each dataset of the same features and the moment of its last event."""
    for manifest in sorted(layout.dataset("x").parent.glob(f"*/{MANIFEST}")):
        folder = manifest.parent
        try:
            fits = read_manifest(folder).spec_fingerprint == spec_fingerprint
        except ArtifactError:
            continue  # damaged: not a candidate, and prepare makes it again
        if fits:
            stats = json.loads((folder / STATS).read_bytes())
            yield folder, datetime.fromisoformat(stats["time"]["last"])
