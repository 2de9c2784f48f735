"""Whom the ranker's lists are made for, and when: users at moments of the past."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tfrs_app.contract.errors import DataError
from tfrs_app.contract.ranking_config import RankingConfig
from tfrs_app.data.dataset import Split
from tfrs_app.data.event_log import EventLog
from tfrs_app.data.shown_lists import ShownLists
from tfrs_app.layers.inputs import SECONDS_PER_DAY
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.funnel import Funnel
from tfrs_app.models.item_state import ItemKnowledge
from tfrs_app.models.ranking import tasks_of
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.progress import counted
from tfrs_app.training.list_maker import EVERYTHING, ListMaker
from tfrs_app.training.ranking_lists import Lists

IDLE_SHARE = 0.1
"""Of the users to whom nothing happens; each stands for all of them."""
MOST_OF_A_NEWCOMER = 3
"""Events that a list shows at most of who is asked as if new."""


@dataclass(frozen=True)
class RankingExamples:
    """Holds the lists that train, those that judge, and the items in all.

    Args:
        training: lists that were proposed, and lists that were shown.
        held_out: lists that were proposed to others.
        shown: lists that were shown to those others, described as if proposed; None:
            there are none.
        vectors: what the towers learned of each item, float32 `[items, width]`.
    """

    training: Lists
    held_out: Lists
    shown: Lists | None
    vectors: np.ndarray


def ranking_examples(
    encoded: EncodedDataset,
    retrieval: RetrievalModel,
    config: RankingConfig,
    shown: ShownLists | None = None,
) -> RankingExamples:
    """Makes lists at several moments of the validation span.

    If the config says so, at some before it too. Every user is asked twice a moment:
    for anything, and for what is new to them. Of users to whom nothing happens a share
    stands for all, and a share is asked as if new. Held-out users are asked at the
    span's start only, with all candidates. Lists that were shown are added, with the
    items' tables of the moment before.

    Args:
        encoded: a verified dataset with its look-ups.
        retrieval: the towers as they were before they saw the validation span.
        config: of the ranker.
        shown: what a shop showed to users with events by then, if it tells.

    Raises:
        DataError: nothing that was proposed was bought.
    """
    log, split = encoded.dataset.events, encoded.dataset.split
    start_s, end_s = split.validation_start, split.test_start
    knowledge, funnel = as_served(encoded, retrieval, config)
    maker = list_maker(encoded, retrieval, funnel)
    random = np.random.default_rng(config.seed)
    held_out = held_out_users(config, log.users, random)
    training: list[Lists] = []
    judging: list[Lists] = []
    judging_shown: list[Lists] = []
    moments = moments_of(config, split)
    for moment_s in counted(moments, "lists to rank", "moments", len(moments)):
        knowledge.refresh(moment_s)
        funnel.trust_towers(moment_s >= start_s)
        until_s = min(end_s, moment_s + round(config.horizon_days * SECONDS_PER_DAY))
        users, stands_for = _asked_at(log, moment_s, until_s, random)
        if moment_s != start_s:
            users = users[~held_out[users]]
        for new_only in (False, True):
            newest = _events_shown(config.newcomers, held_out[users], random)
            for lists in maker.made(
                users, moment_s, until_s, new_only=new_only, newest=newest
            ):
                lists = lists.counting(stands_for[lists.user])
                judged = held_out[lists.user]
                training.append(lists.of(~judged).thinned(config.negatives, random))
                judging.append(lists.of(judged))
        if shown is not None:
            since = shown.between(moment_s, moment_s + moments.step)
            judged = held_out[since.user]
            training += maker.shown(since.of(~judged))
            judging_shown += maker.shown(since.of(judged).untold())
    return RankingExamples(
        training=_all_of(training, "training"),
        held_out=_all_of(judging, "held-out"),
        shown=Lists.joined(judging_shown) if judging_shown else None,
        vectors=funnel.vectors.numpy(),  # they are the same at every moment
    )


def _asked_at(
    log: EventLog, moment_s: int, until_s: int, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns whom to ask, int64, and how many each user stands for, `[users]`.

    All with a history to whom something happens, and a share of the others.
    """
    begun = log.before(moment_s) > log.row_splits[:-1]
    busy = np.zeros(log.users, bool)
    busy[log.user[log.span(moment_s, until_s)]] = True
    drawn = random.random(log.users) < IDLE_SHARE
    stands_for = np.where(busy, 1.0, 1 / IDLE_SHARE).astype(np.float32)
    return np.flatnonzero(begun & (busy | drawn)), stands_for


def _events_shown(
    newcomers: float, held_out: np.ndarray, random: np.random.Generator
) -> np.ndarray:
    """Returns how many of the last events each user's list shows, int64 `[users]`."""
    newest = np.full(len(held_out), EVERYTHING)
    if newcomers:
        new = ~held_out & (random.random(len(held_out)) < newcomers)
        newest[new] = random.integers(MOST_OF_A_NEWCOMER + 1, size=new.sum())
    return newest


def held_out_users(
    config: RankingConfig, users: int, random: np.random.Generator
) -> np.ndarray:
    """Returns the users who do not train, bool `[users]`.

    Args:
        config: of the ranker.
        users: of the log.
        random: made of the config's seed, and not drawn from before.
    """
    drawn: np.ndarray = random.random(users) < config.held_out_users
    return drawn


def as_served(
    encoded: EncodedDataset, retrieval: RetrievalModel, config: RankingConfig
) -> tuple[ItemKnowledge, Funnel]:
    """Returns what knows the items at any moment, and what proposes as of it."""
    knowledge = ItemKnowledge(retrieval, encoded, config)
    return knowledge, Funnel(encoded, retrieval.query_tower, knowledge.state, config)


def list_maker(
    encoded: EncodedDataset, retrieval: RetrievalModel, funnel: Funnel
) -> ListMaker:
    """Returns what asks a funnel for the lists of all users."""
    dataset = encoded.dataset
    types = [dataset.spec.event_types.index(name) for name in tasks_of(dataset.spec)]
    shown = funnel.config.longest_history(retrieval.config.longest_history)
    return ListMaker(funnel, encoded.reader(shown), dataset.events, types)


def _all_of(parts: list[Lists], whose: str) -> Lists:
    """Joins lists.

    Raises:
        DataError: nothing that was proposed in them was bought.
    """
    some = [part for part in parts if len(part.user)]
    if not any(part.label[..., -1].any() for part in some):
        raise DataError(
            f"ranking: nothing that the sources propose to the {whose} users was "
            "bought in the validation span; make the span longer, the sources larger, "
            "or drop the section ranking"
        )
    return Lists.joined(some)


def moments_of(config: RankingConfig, split: Split) -> range:
    """Returns the seconds at which users are asked; one begins the validation span.

    Args:
        config: of the ranker.
        split: of the dataset.
    """
    start_s = split.validation_start
    step_s = round(config.every_days * SECONDS_PER_DAY)
    earlier = round(config.earlier_days * SECONDS_PER_DAY) // step_s
    return range(start_s - earlier * step_s, split.test_start, step_s)
