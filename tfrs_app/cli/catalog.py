"""Changes the catalogue of the newest model and publishes it, without training."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tfrs_app.cli.published import Published
from tfrs_app.cli.publishing import publish_newest
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.artifacts import exclusive
from tfrs_app.contract.features import ITEM_ID


def push(stages: Stages, table: Path) -> Path:
    """Publishes the newest model with new, changed and gone items.

    What is pushed holds until a dataset is prepared and trained on, whose items table
    then says it all.

    Args:
        stages: of the shop.
        table: of changed items; docs/catalogue.md tells its columns.

    Returns:
        The folder of the published version.

    Raises:
        DataError: the table can't be used; then nothing was changed.
        ArtifactError: no model is published, or what it was made of is gone.
    """
    from beam.item_changes import read_changes
    from tfrs_app.data.catalogue_update import rows_of, updated

    published = Published(stages.config, stages.console)
    file = published.catalogue_update_file
    changes = read_changes(stages.config, table)
    with exclusive(file):
        before = published.current_dataset
        update = updated(before, changes)
        ids = changes.columns[ITEM_ID]
        row = rows_of(before.catalogue[ITEM_ID], ids)
        was = (row >= 0) & before.listed[row]
        now = update.listed[rows_of(update.columns[ITEM_ID], ids)]
        stages.console.print(
            f"catalogue {table.name}: {len(ids):,} items, of which "
            f"{np.sum(row < 0):,} are new, {np.sum(was & now):,} changed, "
            f"{np.sum(was & ~now):,} gone, {np.sum((row >= 0) & ~was & now):,} back; "
            f"{changes.left_out:,} rows left out by data.items.where"
        )
        update.write(file)
    return publish_newest(published)
