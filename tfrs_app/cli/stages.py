"""The stages of one shop: which artefact each needs, and whether it is up to date."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from tfrs_app.contract.artifacts import (
    EVALUATION_PAGE,
    Layout,
    Manifest,
    verify,
    verify_model,
)
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ArtifactError, ConfigError
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.contract.text_embeddings import text_embeddings_identity

if TYPE_CHECKING:
    from beam.text_encoder import TextEncoder
    from tfrs_app.models.encoded import EncodedDataset
    from tfrs_app.models.ranking import RankingModel
    from tfrs_app.models.retrieval import RetrievalModel
    from tfrs_app.training.fine_tuning import FineTuning


@dataclass(frozen=True)
class Stages:
    """Runs the stages of a shop, each from the valid artefacts of those before it.

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
    def encoded(self) -> EncodedDataset:
        """Returns the dataset, opened and looked up once for all stages.

        Raises:
            ArtifactError: there is no valid dataset of the present inputs and config,
                or its texts have not been embedded.
        """
        from tfrs_app.data.dataset import Dataset
        from tfrs_app.data.text_embeddings import TextEmbeddings
        from tfrs_app.models.encoded import EncodedDataset

        texts = (
            TextEmbeddings.open(self.text_embeddings_folder)
            if self.embeds_texts
            else None
        )
        return EncodedDataset.of(Dataset.open(self.dataset_folder), texts)

    def prepare(self, runner_options: tuple[str, ...] = ()) -> Path:
        """Makes the dataset, unless a valid one of the same inputs is there."""
        from beam.prepare import prepare

        return prepare(self.config, runner_options)

    def embed_texts(self, runner_options: tuple[str, ...] = ()) -> Path:
        """Embeds the items' texts, unless valid vectors of them are there."""
        from beam.text_embeddings import embed_texts

        return embed_texts(
            self.dataset_folder, self.text_encoder, self.layout, runner_options
        )

    def train(self) -> Path:
        """Trains retrieval, unless a valid run of the same inputs is there."""
        if _is_valid(verify, self.run_folder):
            return self._unchanged("retrieval run", self.run_folder)
        from tfrs_app.training.retrieval import train_retrieval

        train_retrieval(
            self.encoded,
            self.config.retrieval,
            self.run_folder,
            self.console.print,
            self.fine_tuning,
        )
        self.console.print(f"retrieval run {self.run_folder}")
        return self.run_folder

    @cached_property
    def ranking_folder(self) -> Path:
        """Returns where the ranking run of the present config lies, or will.

        Raises:
            ConfigError: the config has no ranker.
        """
        from tfrs_app.training.runs import ranking_identity

        return self.layout.run(
            ranking_identity(self.run_folder.name, self._ranking_config)
        )

    @property
    def _ranking_config(self) -> RankingConfig:
        ranking = self.config.ranking
        if ranking is None:
            raise ConfigError(
                "ranking: this section is absent, so there is no ranker; add "
                "`ranking: {}`"
            )
        return ranking

    def train_ranking(self) -> Path:
        """Trains the ranker, unless a valid run of the same inputs is there."""
        config, folder = self._ranking_config, self.ranking_folder
        if _is_valid(verify, folder):
            return self._unchanged("ranking run", folder)
        from tfrs_app.training.ranking import train_ranking
        from tfrs_app.training.runs import EARLIER_WEIGHTS, load_retrieval

        towers = load_retrieval(self.run_folder, self.encoded, weights=EARLIER_WEIGHTS)
        train_ranking(
            self.encoded,
            towers,
            config,
            folder,
            self.console.print,
            retrieval_run=self.run_folder.name,
        )
        self.console.print(f"ranking run {folder}")
        return folder

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
        from tfrs_app.training.runs import load_ranking

        if self.config.ranking is None:
            return None
        return load_ranking(self.ranking_folder, self.encoded, self.run_folder.name)

    def evaluate(self) -> Path:
        """Compares the models with baselines, unless the report says so already."""
        from tfrs_app.cli.evaluation import compare_models

        ingredients = {
            "dataset": self.dataset_folder.name,
            "run": self.last_run.name,
            "evaluation": self.config.evaluation.model_dump(mode="json"),
        }
        if self.report_page.is_file() and _holds(self.metrics_file, ingredients):
            self._unchanged("report", self.report_page)
            return self.metrics_file
        compare_models(self, ingredients)
        self.console.print(f"metrics {self.metrics_file}")
        self.console.print(f"report {self.report_page}")
        return self.metrics_file

    def export(self) -> Path:
        """Publishes the model, unless the newest version has the same ingredients."""
        from tfrs_app.export import publish

        base, run_id = self.model_base, self.last_run.name
        published = publish.versions(base)
        if published:
            newest = base / str(published[-1])
            identity = publish.model_identity(run_id, self.config.export)
            if _is_valid(verify_model, newest, identity):
                return self._unchanged("model", newest)
        config = self.config.export
        recommender, choice = publish.build_recommender(
            self.towers, self.encoded, config, self.ranker
        )
        self.console.print(choice.table)
        folder, _ = publish.publish(
            recommender, choice, self.encoded, base, run_id=run_id, config=config
        )
        self.console.print(f"model {folder}")
        return folder

    def run(self, runner_options: tuple[str, ...] = ()) -> Path:
        """Runs all stages and returns the folder of the published model."""
        steps: list[tuple[str, Callable[[], Path]]] = [
            ("prepare", lambda: self.prepare(runner_options)),
            ("train retrieval", self.train),
            ("evaluate", self.evaluate),
            ("export", self.export),
        ]
        if self.config.ranking is not None:
            steps.insert(2, ("train ranking", self.train_ranking))
        if self.embeds_texts:
            embed = ("embed texts", lambda: self.embed_texts(runner_options))
            steps.insert(1, embed)
        for number, (title, step) in enumerate(steps, start=1):
            self.console.rule(f"{number}/{len(steps)} {title}", align="left")
            last = step()
        return last

    def _unchanged(self, what: str, path: Path) -> Path:
        self.console.print(f"{what} unchanged: {path}")
        return path


def _is_valid(
    check: Callable[[Path], Manifest], folder: Path, identity: str | None = None
) -> bool:
    try:
        manifest = check(folder)
    except ArtifactError:
        return False
    return identity is None or manifest.id == identity


def _holds(report: Path, ingredients: dict[str, Any]) -> bool:
    if not report.is_file():
        return False
    document = json.loads(report.read_text(encoding="utf-8"))
    return all(document.get(key) == value for key, value in ingredients.items())
