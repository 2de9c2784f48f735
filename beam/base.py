"""Finds the dataset to which `data.since` adds new events."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from tfrs_app.contract.artifacts import MANIFEST, STATS, Layout, read_manifest, verify
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ArtifactError, ConfigError
from tfrs_app.contract.privacy import UserKey


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
    if user_key_of(folder) != key_fingerprint(config):
        raise ConfigError(
            f"data.hash_users: {folder} names its users by another key, or by none; "
            "use the same key, or leave out data.since to make a whole dataset"
        )
    return folder


def key_fingerprint(config: ShopConfig) -> str | None:
    """Returns what tells the key of the user ids from others; None without one."""
    key = UserKey.of(config.data.hash_users)
    return key.fingerprint if key else None


def user_key_of(folder: Path) -> str | None:
    """Returns the fingerprint of the key by which a dataset's users are named."""
    fingerprint: str | None = json.loads((folder / STATS).read_bytes())["user_key"]
    return fingerprint


def _newest(config: ShopConfig, since: datetime) -> Path:
    found = dict(_datasets(Layout(root=config.root), config.spec.fingerprint))
    earlier = {folder: last for folder, last in found.items() if last < since}
    if earlier:
        return _oldest([f for f in earlier if earlier[f] == max(earlier.values())])
    listed = ", ".join(f"{folder.name} until {found[folder]}" for folder in found)
    raise ConfigError(
        f"data.since: no dataset of these features ends before {since.isoformat()} "
        f"(there are: {listed or 'none'}); name one with data.base, or leave out "
        "data.since to make a whole dataset"
    )


def _oldest(folders: list[Path]) -> Path:
    """Returns the one that extends none of the others: what it adds is nothing."""
    names = {folder.name for folder in folders}
    roots = [f for f in folders if read_manifest(f).parent not in names]
    return max(roots, key=lambda folder: folder.name)


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
