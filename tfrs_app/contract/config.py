"""The typed, frozen, strict configuration: one YAML file describes one shop."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tfrs_app.contract.data_config import DataConfig
from tfrs_app.contract.features import Feature, FeatureSpec, Kind, Name, Role
from tfrs_app.contract.formula import Formula
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.contract.retrieval_config import RetrievalConfig
from tfrs_app.contract.search_space import check_space
from tfrs_app.contract.section import Count, Fraction, Positive, Section
from tfrs_app.contract.text_config import TextConfig
from tfrs_app.contract.tune_config import TuneConfig

BaselineName = Literal[
    "popular",
    "recently_popular",
    "personal_frequency",
    "item_knn",
    "ease",
    "ials",
    "tfidf_profile",
    "blend",
]


class EvaluationConfig(Section):
    """Names the cut-offs of the metrics and the baselines to compare with."""

    ks: Annotated[tuple[Count, ...], Field(strict=False, min_length=1)] = (10, 20, 100)
    k: Count = 20
    """The cut-off by which baselines are tuned and verdicts are spoken."""
    baselines: (
        Annotated[tuple[BaselineName, ...], Field(strict=False, min_length=1)] | None
    ) = None
    """Those to run; null: all that the data allow."""
    resamples: Annotated[int, Field(ge=100)] = 2000
    """Bootstrap draws behind each interval."""
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 42
    """Of those draws."""

    @model_validator(mode="after")
    def _blend_has_its_parts(self) -> EvaluationConfig:
        wanted = self.baselines or ()
        parts = ("recently_popular", "personal_frequency", "item_knn", "ease")
        missing = [name for name in parts if name not in wanted]
        if "blend" in wanted and missing:
            raise ValueError(
                f"baselines: blend needs {missing}; add them or leave blend out"
            )
        return self


class ExportConfig(Section):
    """Chooses the index inside the SavedModel."""

    index: Literal["auto", "exact", "scann"] = "auto"
    """auto: the faster one, measured on the shop's own catalogue."""
    min_recall: Fraction = 0.98
    """Share of the exact index' best 100 that ScaNN must find, or it is not used."""
    scann_leaves_searched: Fraction | None = None
    """Share of the partitions that a ScaNN query searches; null: the least of some
    that reaches min_recall."""
    explore_new: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of a list's places, the last ones, that go to the best new items."""
    complements_differ_in: str | None = None
    """Categorical item feature in which what completes a basket differs from it."""
    warmup_requests: Annotated[int, Field(ge=0, le=80)] = 2
    """Real requests stored for TF Serving's warm-up."""


class ShopConfig(Section):
    """Describes one shop: its tables, features, models and how they are served."""

    shop: Name
    data: DataConfig
    event_weights: dict[str, Positive] = {"purchase": 1.0}
    features: Annotated[tuple[Feature, ...], Field(strict=False)] = ()
    text: TextConfig | None = None
    retrieval: RetrievalConfig = RetrievalConfig()
    ranking: RankingConfig | None = None
    """Null: the model answers with the towers' lists."""
    evaluation: EvaluationConfig = EvaluationConfig()
    export: ExportConfig = ExportConfig()
    tune: TuneConfig | None = None
    artifacts: str = "artifacts"
    """Folder under which `<shop>/{datasets,runs,reports,models,studies}` are made."""

    @model_validator(mode="after")
    def _features_have_tables(self) -> ShopConfig:
        spec = self.spec
        self.data.gates.check_names(spec)
        profile = [f.name for f in spec.features if f.role == "query"]
        if profile and self.data.users is None:
            raise ValueError(
                f"features {profile} have role query but data.users is absent; "
                "name the users table or drop the features"
            )
        for events in self.data.events:
            given = [t for t in events.event_types.values() if t is not None]
            if "event_type" not in events.columns and not events.event_types:
                given.append(events.event_type)
            for name in given:
                if name not in self.event_weights:
                    raise ValueError(
                        f"data.events: event type {name!r} has no weight; add it to "
                        f"event_weights {dict(self.event_weights)}"
                    )
        return self

    @model_validator(mode="after")
    def _neighbours_have_texts(self) -> ShopConfig:
        neighbours = self.retrieval.text_neighbours
        if neighbours and self.text is None:
            raise ValueError(
                f"retrieval.text_neighbours is {neighbours} but the section text is "
                "absent, so no texts can be compared; add `text: {}` or drop the key"
            )
        return self

    @model_validator(mode="after")
    def _score_has_its_names(self) -> ShopConfig:
        score = self.ranking and self.ranking.score
        numbers = self.spec.of(Role.CANDIDATE, Kind.NUMERIC, Kind.BUCKETIZED)
        known = [*self.event_weights, *(feature.name for feature in numbers)]
        for name in sorted(Formula(score).names if score else ()):
            if name not in known:
                raise ValueError(
                    f"ranking.score names {name!r}, which is neither an event type nor "
                    f"a numeric item feature; use some of {known}"
                )
        return self

    @model_validator(mode="after")
    def _complements_can_differ(self) -> ShopConfig:
        name = self.export.complements_differ_in
        known = [f.name for f in self.spec.of(Role.CANDIDATE, Kind.CATEGORICAL)]
        if name is not None and name not in known:
            raise ValueError(
                f"export.complements_differ_in is {name!r}, which is no categorical "
                f"item feature; use one of {known}"
            )
        return self

    @model_validator(mode="after")
    def _search_is_possible(self) -> ShopConfig:
        if self.tune is not None:
            check_space(self.tune.space, self.retrieval)
        return self

    @property
    def spec(self) -> FeatureSpec:
        """Returns the feature spec that travels with the dataset."""
        return FeatureSpec(features=self.features, event_weights=self.event_weights)

    @property
    def root(self) -> Path:
        """Returns the folder of all this shop's artefacts."""
        return Path(self.artifacts) / self.shop
