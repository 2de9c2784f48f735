"""One loss for models whose scores differ in scale: what they say of unseen purchases.

Each household is asked at the start of the validation span, so no rival knows more
than the training span. Of what a model scores s, with p the log of an item's events in
the training span, the loss is the mean cross-entropy of softmax(a s + b p) over the
whole catalogue; a and b are fitted to that same loss, for each model alone. So no model
pays for its scale, nor for leaving popularity to be put back (an in-batch softmax
without logQ learns scores less p). With a = 0 it is popularity alone.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from tfrs_app.data.dataset import Dataset
from tfrs_app.evaluation.protocol import Question, Target, ask

USERS = 200
NEVER = -1e9


class HeldOut:
    """Measures scores on the validation span's purchases.

    Args:
        dataset: gives the events.
        users: households drawn, the same ones for every model.
    """

    def __init__(self, dataset: Dataset, users: int = USERS) -> None:
        log, split = dataset.events, dataset.split
        span = (split.validation_start, split.test_start)
        first = ask(log, Target.FIRST_PURCHASE, *span)
        self.user = np.sort(
            np.random.default_rng(0).choice(first.user, users, replace=False)
        )
        self.questions = {
            target: of_users(ask(log, target, *span), self.user) for target in Target
        }
        trained = log.item[log.span(None, split.validation_start)]
        counts = np.bincount(trained, minlength=len(dataset.catalogue["item_id"]))
        self.popularity = np.log1p(counts).astype(np.float32)

    @property
    def question(self) -> Question:
        """Returns what a scorer is asked: users and the moment."""
        return self.questions[Target.ALL]

    def losses(self, scores: np.ndarray) -> dict[str, float]:
        """Returns the loss of each target, nats.

        Args:
            scores: float32 `[users, items]`, in the order of `user`.
        """
        return {
            target.value: fitted_loss(scores, self.popularity, question)
            for target, question in self.questions.items()
        }


def of_users(question: Question, user: np.ndarray) -> Question:
    """Returns a question for some of its users."""
    return question.of(np.isin(question.user, user))


def fitted_loss(scores: np.ndarray, popularity: np.ndarray, asked: Question) -> float:
    """Returns the mean cross-entropy at the best a and b.

    It is convex in both, so any descent finds them.

    Args:
        scores: float32 `[users, items]`.
        popularity: float32 `[items]`.
        asked: the targets, and the items that may not be listed.
    """
    everybody = slice(0, len(scores))
    row, target = asked.targets.rows(everybody)
    excluded = asked.excluded.rows(everybody)
    features = [scores / (scores.std() or 1.0), popularity / popularity.std()]
    share = np.bincount(row, minlength=len(scores)) / len(row)  # [users]
    reached = np.array([features[0][row, target].mean(), features[1][target].mean()])

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = weights.astype(np.float32)
        logits = a * features[0] + b * features[1]
        logits[excluded] = NEVER
        highest = logits.max(axis=1, keepdims=True)
        chance = np.exp(logits - highest)
        total = chance.sum(axis=1, keepdims=True)
        chance /= total
        log_total = np.log(total[:, 0]) + highest[:, 0]
        expected = np.array(
            [
                share @ np.einsum("ui,ui->u", chance, features[0]),
                share @ (chance @ features[1]),
            ]
        )
        return float(share @ log_total - weights @ reached), expected - reached

    best = minimize(loss, np.ones(2), jac=True, method="BFGS", options={"gtol": 1e-4})
    return float(best.fun)
