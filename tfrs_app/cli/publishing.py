"""Publishes what was trained, on the catalogue as it is now."""

from __future__ import annotations

from pathlib import Path

from tfrs_app.cli.shop_artifacts import ShopArtifacts
from tfrs_app.contract.artifacts import MODEL_EXTRAS, is_valid


def publish_newest(artifacts: ShopArtifacts) -> Path:
    """Publishes a version, unless the newest one has the same ingredients.

    Args:
        artifacts: of the runs that the model is made of.

    Returns:
        The folder of the version.
    """
    from tfrs_app.data.catalogue_update import fingerprint_of
    from tfrs_app.export import publish

    base, config = artifacts.model_base, artifacts.config.export
    run_id = artifacts.last_run.name
    catalogue = fingerprint_of(artifacts.catalogue_update_file)
    published = publish.versions(base)
    if published:
        newest = base / str(published[-1])
        identity = publish.model_identity(run_id, config, catalogue)
        if is_valid(newest, MODEL_EXTRAS, identity):
            artifacts.console.print(f"model unchanged: {newest}")
            return newest
    towers, ranker = artifacts.on_current_catalogue()
    recommender, choice = publish.build_recommender(
        towers, towers.encoded, config, ranker, encoders=artifacts.text_encoders
    )
    artifacts.console.print(choice.table)
    folder, _ = publish.publish(
        recommender,
        choice,
        towers.encoded,
        base,
        run_id=run_id,
        config=config,
        catalogue=catalogue,
    )
    artifacts.console.print(f"model {folder}")
    return folder
