"""What the newest published model was made of, whatever the tables say by now."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tfrs_app.cli.shop_artifacts import ShopArtifacts
from tfrs_app.contract.artifacts import MODEL_EXTRAS, Manifest, read_manifest
from tfrs_app.contract.errors import ArtifactError


@dataclass(frozen=True)
class Published(ShopArtifacts):
    """Follows the manifests from the newest model to its dataset.

    Every property raises ArtifactError where no model is published, or what it was made
    of is gone.
    """

    @cached_property
    def newest(self) -> Path:
        """Returns the folder of the newest version."""
        from tfrs_app.export.publish import versions

        published = versions(self.model_base)
        if not published:
            raise ArtifactError(
                f"{self.model_base}: no model is published; run `tfrs-app export`"
            )
        return self.model_base / str(published[-1])

    @property
    def last_run(self) -> Path:
        """Returns the run that the model was made from."""
        return self.layout.run(str(read_manifest(self.newest, MODEL_EXTRAS).parent))

    @cached_property
    def _ranking(self) -> Manifest | None:
        """Returns the manifest of the ranker's run, if the model has a ranker."""
        run = read_manifest(self.last_run)
        return run if run.kind == "ranking" else None

    @cached_property
    def run_folder(self) -> Path:
        """Returns the run of the model's towers."""
        ranking = self._ranking
        return (
            self.last_run if ranking is None else self.layout.run(str(ranking.parent))
        )

    @cached_property
    def dataset_folder(self) -> Path:
        """Returns the dataset that the model's towers were trained on."""
        return self.layout.dataset(str(read_manifest(self.run_folder).parent))

    @property
    def has_ranker(self) -> bool:
        """Tells whether the model has a ranker beside its towers."""
        return self._ranking is not None
