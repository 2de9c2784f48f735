"""The stages of one shop: which artefact each needs, and whether it is up to date."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfrs_app.cli.shop_artifacts import ShopArtifacts
from tfrs_app.contract.artifacts import is_valid
from tfrs_app.contract.features import ITEM_ID
from tfrs_app.contract.privacy import UserKey

if TYPE_CHECKING:
    from tfrs_app.data.shown_lists import ShownLists

REPORT_FORMAT = 2
"""Of `metrics.json`: one of another format is made anew."""


@dataclass(frozen=True)
class Stages(ShopArtifacts):
    """Runs the stages of a shop, each from the valid artefacts of those before it."""

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
        if is_valid(self.run_folder):
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

    def train_ranking(self) -> Path:
        """Trains the ranker, unless a valid run of the same inputs is there."""
        config, folder = self.ranking_config, self.ranking_folder
        if is_valid(folder):
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
            shown=self.shown_lists(),
        )
        self.console.print(f"ranking run {folder}")
        return folder

    def shown_lists(self) -> ShownLists | None:
        """Returns what was shown to users with events by then, if the config tells.

        Prints what became of the table's rows.
        """
        from beam.impression_tables import read_impressions
        from tfrs_app.training.ranking_examples import moments_of

        config, dataset = self.ranking_config, self.dataset
        if config.impressions is None:
            return None
        lists, told = read_impressions(
            config,
            dataset.events.user_id,
            dataset.catalogue[ITEM_ID],
            UserKey.of(self.config.data.hash_users),
            (moments_of(config, dataset.split).start, dataset.split.test_start),
        )
        log = dataset.events
        begun = log.before_each(lists.user, lists.moment_s) > log.row_splits[lists.user]
        self.console.print(
            f"{told.rows:,} impressions, {told.used:,} of them in {told.lists:,} lists"
        )
        for reason, rows in told.left_out.most_common():
            self.console.print(f"  {rows:,} left out: {reason}")
        if told.lists > len(begun):
            self.console.print(
                f"  {len(begun):,} lists drawn (ranking.impressions.lists)"
            )
        if not begun.all():
            early = int((~begun).sum())
            self.console.print(
                f"  {early:,} lists left out: before a user's first event"
            )
        return lists.of(begun)

    def evaluate(self) -> Path:
        """Compares the models with baselines, unless the report says so already."""
        from tfrs_app.cli.evaluation import compare_models

        ingredients = {
            "format": REPORT_FORMAT,
            "dataset": self.dataset_folder.name,
            "run": self.last_run.name,
            "evaluation": self.config.evaluation.model_dump(mode="json"),
            "export": self.config.export.model_dump(
                mode="json", exclude={"warmup_requests"}
            ),
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
        from tfrs_app.cli.publishing import publish_newest

        return publish_newest(self)

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


def _holds(report: Path, ingredients: dict[str, Any]) -> bool:
    if not report.is_file():
        return False
    document = json.loads(report.read_text(encoding="utf-8"))
    return all(document.get(key) == value for key, value in ingredients.items())
