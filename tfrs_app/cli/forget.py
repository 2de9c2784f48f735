"""Forgets a user, and lists what was made while they were still there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tfrs_app.cli.stages import Stages
from tfrs_app.contract.artifacts import (
    MANIFEST,
    MODEL_EXTRAS,
    Manifest,
    read_manifest,
)
from tfrs_app.contract.dataset import FORGOTTEN


def forget(stages: Stages, user_id: str) -> dict[str, Any]:
    """Removes a user from every dataset; prints and returns what still holds them."""
    from beam.forgetting import forget as remove

    console = stages.console
    folders = remove(stages.config, user_id, console)
    for folder in folders:
        console.print(f"removed from dataset {folder}")
    if not folders:
        console.print("no dataset holds this user")
    console.print("later datasets will leave this user out")
    console.print("what may still hold them:")
    held, tables = holders(stages), list(_sources(stages))
    for kind, place in held:
        console.print(f"  {kind} {place}: make it again, then delete this one")
    for source in tables:
        console.print(f"  table {source}: delete the rows where they come from")
    console.print("  servers that have loaded one of these models: stop them")
    return {
        "removed_from": folders,
        "may_still_hold": [{"kind": kind, "path": place} for kind, place in held],
        "tables": tables,
    }


def holders(stages: Stages) -> list[tuple[str, Path]]:
    """Returns the runs and models made before their dataset forgot a user.

    Whatever lost the dataset or run that it was made of is among them.
    """
    layout = stages.layout
    datasets = dict(_manifests(layout.dataset("any").parent, f"*/{MANIFEST}"))
    made_of = {manifest.id: manifest for manifest in datasets.values()}
    runs = dict(_manifests(layout.run("any").parent, f"*/{MANIFEST}"))
    by_id = {manifest.id: manifest for manifest in runs.values()}

    def dataset_of(run: Manifest | None) -> Manifest | None:
        if run is not None and run.kind == "ranking":  # made of towers' run
            run = by_id.get(str(run.parent))
        return None if run is None else made_of.get(str(run.parent))

    clean = {
        manifest.id
        for manifest in runs.values()
        if not _is_older(manifest, dataset_of(manifest))
    }
    models = _manifests(layout.model("any").parent, f"*/*/{MODEL_EXTRAS}/{MANIFEST}")
    return [
        *(("training run", path) for path, m in runs.items() if m.id not in clean),
        *(("model", path.parent) for path, m in models if m.parent not in clean),
    ]


def _manifests(folder: Path, pattern: str) -> Iterator[tuple[Path, Manifest]]:
    for path in sorted(folder.glob(pattern)):
        yield path.parent, read_manifest(path.parent)


def _is_older(run: Manifest, dataset: Manifest | None) -> bool:
    return dataset is None or (
        dataset.counts["events"][FORGOTTEN] > 0 and run.created <= dataset.created
    )


def _sources(stages: Stages) -> Iterator[str]:
    data, ranking = stages.config.data, stages.config.ranking
    shown = ranking.impressions if ranking else None
    for table in (*data.events, data.users, shown):
        if table is not None:
            yield table.source
