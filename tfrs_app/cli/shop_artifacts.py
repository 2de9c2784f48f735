"""Where a shop's artefacts lie, and how they are opened."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from tfrs_app.contract.artifacts import EVALUATION_PAGE, Layout
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.contract.text_embeddings import text_embeddings_identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

    from beam.text_encoder import TextEncoder
    from tfrs_app.data.dataset import Dataset
    from tfrs_app.export.publish import TextEncoders
    from tfrs_app.models.encoded import EncodedDataset
    from tfrs_app.models.ranking import RankingModel
    from tfrs_app.models.retrieval import RetrievalModel
    from tfrs_app.training.fine_tuning import FineTuning


@dataclass(frozen=True)
class ShopArtifacts:
    """Names a shop's artefacts by what goes into them, and opens those that exist.

    Args:
        config: the shop.
        console: takes progress and results.
    """

    config: ShopConfig
    console: Console

    @property
    def layout(self) -> Layout:
        """Returns where this shop's artefacts lie."""
        return Layout(root=self.config.root)

    @cached_property
    def dataset_folder(self) -> Path:
        """Returns where the dataset of the present inputs and config lies, or will."""
        from beam.prepare import dataset_identity

        return self.layout.dataset(dataset_identity(self.config))

    @property
    def embeds_texts(self) -> bool:
        """Tells whether the towers read texts, which are embedded before training."""
        return self.config.text is not None

    @cached_property
    def text_encoder(self) -> TextEncoder:
        """Returns the shop's text encoder; the built-in one is made if it is absent.

        Raises:
            ConfigError: the config names none.
        """
        from beam.text_encoder import TextEncoder
        from tfrs_app.export.text_encoder import ensure_encoder

        text = self.config.text
        if text is None:
            raise ConfigError(
                "text: this section is absent, so there is no encoder; add `text: {}` "
                "for the built-in one"
            )
        handle = ensure_encoder(text, Path(self.config.artifacts), self.console.print)
        return TextEncoder.named(str(handle), text.preprocessor)

    @cached_property
    def text_embeddings_folder(self) -> Path:
        """Returns where the vectors of the dataset's texts lie, or will."""
        from beam.catalogue_texts import text_features

        fingerprint = self.text_encoder.record.fingerprint
        features = text_features(self.config.spec)
        return self.layout.text_embeddings(
            text_embeddings_identity(self.dataset_folder.name, fingerprint, features)
        )

    @cached_property
    def run_folder(self) -> Path:
        """Returns where the retrieval run of the present config lies, or will."""
        from tfrs_app.training.runs import run_identity

        return self.layout.run(
            run_identity(
                self.dataset_folder.name,
                self.config.retrieval,
                self.text_encoder.record.fingerprint if self.embeds_texts else None,
                self.fine_tuning,
            )
        )

    @cached_property
    def fine_tuning(self) -> FineTuning | None:
        """Returns how the text encoder is trained with the towers, if it is."""
        from tfrs_app.training.fine_tuning import FineTuning

        text = self.config.text
        if text is None or text.mode == "frozen":
            return None
        return FineTuning(self.text_encoder.record, text)

    @property
    def metrics_file(self) -> Path:
        """Returns the file that evaluation writes."""
        return self.layout.reports / "metrics.json"

    @property
    def report_page(self) -> Path:
        """Returns the page that evaluation writes."""
        return self.layout.reports / EVALUATION_PAGE

    @property
    def model_base(self) -> Path:
        """Returns TF Serving's base path of the exported model."""
        return self.layout.model(self.config.shop)

    @cached_property
    def dataset(self) -> Dataset:
        """Returns the dataset, opened once for all stages.

        Raises:
            ArtifactError: there is no valid dataset of the present inputs and config.
        """
        from tfrs_app.data.dataset import Dataset

        return Dataset.open(self.dataset_folder)

    @cached_property
    def encoded(self) -> EncodedDataset:
        """Returns the dataset, opened and looked up once for all stages.

        Raises:
            ArtifactError: there is no valid dataset of the present inputs and config,
                or its texts have not been embedded.
        """
        from tfrs_app.data.text_embeddings import TextEmbeddings
        from tfrs_app.models.encoded import EncodedDataset

        texts = (
            TextEmbeddings.open(self.text_embeddings_folder)
            if self.embeds_texts
            else None
        )
        return EncodedDataset.of(self.dataset, texts)

    @cached_property
    def ranking_folder(self) -> Path:
        """Returns where the ranking run of the present config lies, or will.

        Raises:
            ConfigError: the config has no ranker.
        """
        from beam.impression_tables import impressions_identity
        from tfrs_app.training.runs import ranking_identity

        config = self.ranking_config
        impressions = impressions_identity(config)
        return self.layout.run(
            ranking_identity(self.run_folder.name, config, impressions)
        )

    @property
    def ranking_config(self) -> RankingConfig:
        """Returns the section `ranking`.

        Raises:
            ConfigError: it is absent.
        """
        ranking = self.config.ranking
        if ranking is None:
            raise ConfigError(
                "ranking: this section is absent, so there is no ranker; add "
                "`ranking: {}`"
            )
        return ranking

    @property
    def last_run(self) -> Path:
        """Returns the run that a model is made from, which names those before it."""
        return self.run_folder if self.config.ranking is None else self.ranking_folder

    @cached_property
    def towers(self) -> RetrievalModel:
        """Returns the trained towers, loaded once for all stages.

        Raises:
            ArtifactError: there is no valid run of the present config.
        """
        from tfrs_app.training.runs import load_retrieval

        return load_retrieval(self.run_folder, self.encoded)

    @cached_property
    def ranker(self) -> RankingModel | None:
        """Returns the trained ranker, or None if the config has none.

        Raises:
            ArtifactError: there is no valid run of the present config.
        """
        return self.load_ranker(self.encoded) if self.has_ranker else None

    @property
    def has_ranker(self) -> bool:
        """Tells whether a model has a ranker beside its towers."""
        return self.config.ranking is not None

    @property
    def history_length(self) -> int:
        """Returns how many of the latest events a request may usefully show.

        Raises:
            ArtifactError: there is no run that tells.
        """
        from tfrs_app.training.runs import ranking_run_config, run_config

        shown = run_config(self.run_folder).longest_history
        if not self.has_ranker:
            return shown
        return ranking_run_config(self.last_run).longest_history(shown)

    def load_ranker(self, encoded: EncodedDataset) -> RankingModel:
        """Returns the trained ranker of the last run, for a dataset."""
        from tfrs_app.training.runs import load_ranking

        return load_ranking(self.last_run, encoded, self.run_folder.name)

    @property
    def catalogue_update_file(self) -> Path:
        """Returns where all that is pushed onto the dataset's catalogue is kept."""
        return self.layout.catalogue_update(self.dataset_folder.name)

    @property
    def current_dataset(self) -> Dataset:
        """Returns the dataset with what was pushed onto its catalogue."""
        from tfrs_app.data.catalogue_update import CatalogueUpdate, UpdatedDataset

        update = CatalogueUpdate.read(self.catalogue_update_file, self.dataset.spec)
        return (
            self.dataset if update is None else UpdatedDataset.of(self.dataset, update)
        )

    def on_current_catalogue(self) -> tuple[RetrievalModel, RankingModel | None]:
        """Returns towers and ranker on the catalogue with what was pushed onto it."""
        from tfrs_app.data.catalogue_update import CatalogueUpdate
        from tfrs_app.models.updated_catalogue import towers_on, updated_dataset

        update = CatalogueUpdate.read(self.catalogue_update_file, self.dataset.spec)
        if update is None:
            return self.towers, self.ranker
        encoded = updated_dataset(self.encoded, update, self._embed)
        towers = towers_on(encoded, self.towers, self._embed_fine_tuned)
        return towers, self.load_ranker(encoded) if self.has_ranker else None

    @cached_property
    def text_encoders(self) -> TextEncoders | None:
        """Returns what embeds texts like the items', if the towers read texts."""
        from tfrs_app.export.publish import TextEncoders
        from tfrs_app.layers.text import TextEncoder

        if not self.embeds_texts:
            return None
        record = self.text_encoder.record
        base = TextEncoder(record.handle, record.preprocessor)
        tuned = self._fine_tuned
        return TextEncoders(base, base if tuned is None else TextEncoder(str(tuned)))

    @property
    def _fine_tuned(self) -> Path | None:
        """Returns the run's own text encoder, if it was trained too."""
        from tfrs_app.training.runs import TEXT_ENCODER

        folder = self.run_folder / TEXT_ENCODER
        return folder if folder.is_dir() else None

    def _embed(self, texts: Sequence[bytes]) -> np.ndarray:
        from beam.text_embeddings import vectors_of

        return vectors_of(texts, self.text_encoder, self.layout)

    def _embed_fine_tuned(self, texts: Sequence[bytes]) -> np.ndarray:
        """Embeds texts as the run's towers know them."""
        from beam.text_embeddings import vectors_of
        from beam.text_encoder import TextEncoder

        tuned = self._fine_tuned
        if tuned is None:
            return self._embed(texts)
        return vectors_of(texts, TextEncoder.named(str(tuned)), self.layout)
