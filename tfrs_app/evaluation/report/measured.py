"""The content of `metrics.json`, typed, as the parts of the page read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import isfinite
from typing import Any

LISTS = ("recall_curve", "intervals", "slices", "exposure", "parameters", "funnel")
"""Keys of a result that hold more than one number."""


@dataclass(frozen=True)
class Row:
    """Holds what one model achieved on one target.

    Args:
        model: its name.
        target: of the question.
        values: metric -> number, which may be no finite one.
        intervals: metric -> bounds of its 95 % interval.
        slices: name -> `users` and metrics of a part.
        curve: length -> recall.
        exposure: share of the list entries in each popularity bin.
        parameters: that tuning chose.
        validation: the NDCG that chose them; None without tuning.
        funnel: what was found inside; empty for what is no funnel.
    """

    model: str
    target: str
    values: Mapping[str, float]
    intervals: Mapping[str, Sequence[float]]
    slices: Mapping[str, Mapping[str, float]]
    curve: Mapping[int, float]
    exposure: Sequence[float]
    parameters: Mapping[str, Any]
    validation: float | None
    funnel: Mapping[str, Any]

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Row:
        """Reads one entry of `results`."""
        named = ("model", "target", "validation", *LISTS)
        return cls(
            model=result["model"],
            target=result["target"],
            values={key: value for key, value in result.items() if key not in named},
            intervals=result["intervals"],
            slices=result["slices"],
            curve={int(k): recall for k, recall in result["recall_curve"].items()},
            exposure=result["exposure"],
            parameters=result.get("parameters", {}),
            validation=result.get("validation"),
            funnel=result.get("funnel", {}),
        )


@dataclass(frozen=True)
class Measured:
    """Answers what the parts of the page ask about `metrics.json`.

    Args:
        document: its content.
    """

    document: Mapping[str, Any]

    @cached_property
    def results(self) -> list[Row]:
        """Returns all results in the order of the file."""
        return [Row.of(result) for result in self.document["results"]]

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Returns dates, sizes and users."""
        protocol: Mapping[str, Any] = self.document["protocol"]
        return protocol

    @property
    def settings(self) -> Mapping[str, Any]:
        """Returns the `evaluation` section of the shop's config."""
        settings: Mapping[str, Any] = self.document["evaluation"]
        return settings

    @property
    def k(self) -> int:
        """Returns the cut-off by which verdicts are spoken."""
        return int(self.settings["k"])

    @property
    def ndcg(self) -> str:
        """Returns the name of the metric that ranks the models."""
        return f"ndcg@{self.k}"

    @property
    def verdicts(self) -> Sequence[Mapping[str, Any]]:
        """Returns every comparison of a model with a baseline."""
        verdicts: Sequence[Mapping[str, Any]] = self.document["verdicts"]
        return verdicts

    @property
    def few_events(self) -> Mapping[str, Any]:
        """Returns, by target, the models that see a part of each history."""
        few: Mapping[str, Any] = self.document.get("few_events", {})
        return few

    @property
    def probabilities(self) -> Sequence[Mapping[str, Any]]:
        """Returns how the ranker's probabilities came true; none without a ranker."""
        found: Sequence[Mapping[str, Any]] = self.document.get("probabilities", ())
        return found

    @property
    def targets(self) -> list[str]:
        """Returns the targets in the order of the file."""
        return list(dict.fromkeys(row.target for row in self.results))

    def users(self, target: str) -> int:
        """Returns how many users were asked."""
        return int(self.protocol["users"][target])

    @cached_property
    def models(self) -> list[str]:
        """Returns the models under test; none where nothing was compared."""
        return list(dict.fromkeys(verdict["model"] for verdict in self.verdicts))

    def rows(self, target: str) -> list[Row]:
        """Returns a target's results, the best NDCG first."""
        rows = [row for row in self.results if row.target == target]
        return sorted(rows, key=lambda row: -finite(row.values[self.ndcg], -1.0))

    def champion(self, target: str) -> Row:
        """Returns the best model under test; without one, the best of all."""
        rows = self.rows(target)
        return next((row for row in rows if row.model in self.models), rows[0])

    def rival(self, target: str) -> Row | None:
        """Returns the baseline with the best NDCG on the test window, if any."""
        best = {
            verdict["rival"]
            for verdict in self.verdicts
            if verdict["target"] == target
            and verdict["metric"] == self.ndcg
            and verdict["rival_is_best"]
        }
        return next((row for row in self.rows(target) if row.model in best), None)

    def rank(self, row: Row) -> str:
        """Returns the CSS class that tells a row's part: model, rival or other."""
        if row.model in self.models:
            return f"model m{self.models.index(row.model) % 3}"
        rival = self.rival(row.target)
        return "rival" if rival and rival.model == row.model else "other"


def finite(value: float, otherwise: float = 0.0) -> float:
    """Returns a number that can be drawn or compared."""
    return value if isfinite(value) else otherwise
