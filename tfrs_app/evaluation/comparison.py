"""Everybody on the same questions: models and baselines on the test window."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import scipy.sparse as sp

from tfrs_app.contract.config import EvaluationConfig
from tfrs_app.contract.errors import DataError
from tfrs_app.data.dataset import Dataset
from tfrs_app.evaluation.baselines import BLEND, FAMILIES
from tfrs_app.evaluation.baselines.blend import PARTS, Blend, tune_weights
from tfrs_app.evaluation.baselines.family import Family, Parameters
from tfrs_app.evaluation.baselines.tuning import Tuned, tune
from tfrs_app.evaluation.content import content_of
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Question, Target, ask
from tfrs_app.evaluation.ranking import Lister, Scorer
from tfrs_app.evaluation.results import Exam, Result, measure
from tfrs_app.evaluation.verdicts import Verdict, judge
from tfrs_app.progress import watched

Report = Callable[[str], None]


@dataclass(frozen=True)
class Comparison:
    """Holds everybody's results, baselines first, and what they come to."""

    results: list[Result]
    verdicts: list[Verdict]

    def of(self, target: Target) -> list[Result]:
        """Returns the results of one target; none if nobody was asked."""
        rows = [result for result in self.results if result.target is target]
        return [row for row in rows if len(row.question.user)]


def compare(
    dataset: Dataset,
    models: Mapping[str, Scorer | Lister],
    config: EvaluationConfig,
    report: Report,
) -> Comparison:
    """Evaluates the baselines and then the models on the test window.

    Baselines are tuned, for each target, on the validation window only, and fitted
    again on everything before the test window.

    Raises:
        DataError: nobody has both a history and a target in the test window, or a
            baseline is asked for that the data do not allow.
    """
    return Contest(dataset, config, report).compared(models)


@dataclass(frozen=True)
class Contest:
    """Asks everybody the same questions of a dataset."""

    dataset: Dataset
    config: EvaluationConfig
    report: Report

    def compared(self, models: Mapping[str, Scorer | Lister]) -> Comparison:
        """Evaluates the baselines and then the models on the test window."""
        families = self.families()
        tuned: dict[str, Tuned] = {}
        results: list[Result] = []
        for family in families:
            tuned[family.name], measured = self.enter(family)
            results += measured
        names = [family.name for family in families]
        if BLEND in (self.config.baselines or (BLEND,)) and set(PARTS) <= set(names):
            results += self.enter_blend(tuned)
            names.append(BLEND)
        for name, scorer in models.items():
            results += self.measure(name, dict.fromkeys(Target, scorer))
        order = list(Target)
        results.sort(key=lambda result: order.index(result.target))
        return Comparison(*judge(results, names, self.config))

    @cached_property
    def validation(self) -> dict[Target, Question]:
        """Returns the questions that tune."""
        split = self.dataset.split
        return self._asked(split.validation_start, split.test_start)

    @cached_property
    def test(self) -> dict[Target, Question]:
        """Returns the questions that count.

        Raises:
            DataError: they ask nobody.
        """
        split = self.dataset.split
        questions = self._asked(split.test_start, split.test_end)
        if not len(questions[Target.ALL].user):
            raise DataError(
                "data.split: no user has events both before and in the test window; "
                "choose an earlier test_start"
            )
        return questions

    @cached_property
    def exams(self) -> dict[Target, Exam]:
        """Returns the test questions in every form that is reported."""
        return {
            target: Exam.of(question, self.before_test)
            for target, question in self.test.items()
        }

    @cached_property
    def before_validation(self) -> Past:
        """Returns what may be known at the start of the validation window."""
        return self._past(self.dataset.split.validation_start)

    @cached_property
    def before_test(self) -> Past:
        """Returns what may be known at the start of the test window."""
        return self._past(self.dataset.split.test_start)

    def families(self) -> list[Family]:
        """Returns the baselines to run.

        Raises:
            DataError: one that the config names needs what the items lack.
        """
        wanted = self.config.baselines
        chosen = []
        for family in FAMILIES:
            if wanted is not None and family.name not in wanted:
                continue
            if family.needs_content and self.before_test.content is None:
                reason = f"{family.name}: the items have no text and no category"
                if wanted is not None:
                    raise DataError(f"evaluation.baselines: {reason}; leave it out")
                self.report(f"{reason}, left out")
                continue
            chosen.append(family)
        return chosen

    def enter(self, family: Family) -> tuple[Tuned, list[Result]]:
        """Tunes a baseline on validation and measures it on test."""
        tuned = tune(family, self.before_validation, self.validation, self.config.k)
        started = time.perf_counter()
        results = self.measure(
            family.name, self._fitted(family, tuned.parameters, self.before_test)
        )
        self._tell(family.name, tuned, time.perf_counter() - started)
        return tuned, [
            replace(
                result,
                parameters=tuned.parameters[result.target],
                validation=tuned.validation[result.target],
            )
            for result in results
        ]

    def enter_blend(self, tuned: Mapping[str, Tuned]) -> list[Result]:
        """Tunes the weights of the blend on validation and measures it on test."""
        results = []
        for target in Target:
            started = time.perf_counter()
            with watched(f"tuning {BLEND} of {target}"):
                parts = self._parts(tuned, target, self.before_validation)
                weights, ndcg = tune_weights(
                    parts, self.validation[target], self.config.k
                )
            blend = Blend(self._parts(tuned, target, self.before_test), weights)
            (result,) = self.measure(BLEND, {target: blend})
            parameters = dict(zip(PARTS, weights, strict=True))
            seconds = time.perf_counter() - started
            self.report(f"{BLEND} of {target}: {parameters}, {seconds:.0f} s")
            results.append(replace(result, parameters=parameters, validation=ndcg))
        return results

    def measure(
        self, name: str, scorers: Mapping[Target, Scorer | Lister]
    ) -> list[Result]:
        """Puts the test questions; targets with the same scorer share its scores."""
        results = []
        for scorer in {id(scorer): scorer for scorer in scorers.values()}.values():
            shared = [t for t in Target if scorers.get(t) is scorer]
            exams = [self.exams[target] for target in shared]
            with watched(f"measuring {name}"):
                results += measure(name, scorer, exams, self.before_test, self.config)
        return results

    def _fitted(
        self, family: Family, parameters: Mapping[Target, Parameters], past: Past
    ) -> dict[Target, Scorer]:
        fitted: dict[Target, Scorer] = {}
        for target, chosen in parameters.items():
            twins = [t for t in fitted if parameters[t] == chosen]
            fitted[target] = fitted[twins[0]] if twins else family.fit(past, **chosen)
        return fitted

    def _parts(
        self, tuned: Mapping[str, Tuned], target: Target, past: Past
    ) -> list[Scorer]:
        families = {family.name: family for family in FAMILIES}
        return [
            families[name].fit(past, **tuned[name].parameters[target]) for name in PARTS
        ]

    def _asked(self, start_s: int, end_s: int | None) -> dict[Target, Question]:
        log = self.dataset.events
        return {target: ask(log, target, start_s, end_s) for target in Target}

    def _past(self, moment_s: int) -> Past:
        log, items = self.dataset.events, len(self.dataset.train_events)
        return Past.of(log, moment_s, items, self._content)

    @cached_property
    def _content(self) -> sp.csr_matrix | None:
        return content_of(self.dataset.spec, self.dataset.catalogue)

    def _tell(self, name: str, tuned: Tuned, seconds: float) -> None:
        self.report(
            f"{name}: {tuned.points} points tuned in {tuned.seconds:.0f} s, "
            f"measured in {seconds:.0f} s"
        )
        for target, parameters in tuned.parameters.items():
            if parameters:
                told = ", ".join(f"{k} {v}" for k, v in parameters.items())
                self.report(f"  {target}: {told}")
