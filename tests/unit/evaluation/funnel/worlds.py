"""Small questions with candidates, and the plain rows that they were made of."""

import numpy as np
from hypothesis import strategies as st

from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.evaluation.funnel.probe import Considered
from tfrs_app.evaluation.protocol import ItemSets, Question, Target

ITEMS = 7


def item_sets(rows):
    sizes = [len(row) for row in rows]
    return ItemSets(
        np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64),
        np.array([item for row in rows for item in row], np.int64),
    )


def question_of(targets, excluded=None):
    users = len(targets)
    return Question(
        target=Target.ALL,
        moment_s=100,
        user=np.arange(users) * 3,  # positions are not users
        history_start=np.zeros(users, np.int64),
        history_end=np.ones(users, np.int64),
        targets=item_sets(targets),
        excluded=item_sets(excluded or [[] for _ in targets]),
    )


def considered_of(users):
    """Of [{item: names of the sources}, ...]; scores follow the order of each dict."""
    longest = max((len(user) for user in users), default=0)
    row = np.full((len(users), longest), -1, np.int32)
    proposed = np.zeros((len(users), longest, len(SOURCES)), bool)
    score = np.full((len(users), longest), -np.inf, np.float32)
    for number, user in enumerate(users):
        for place, (item, names) in enumerate(user.items()):
            row[number, place] = item
            score[number, place] = -place
            for name in names:
                proposed[number, place, SOURCES.index(name)] = True
    return Considered(row, proposed, score, {})


ITEM = st.integers(0, ITEMS - 1)
ROWS = st.lists(ITEM, unique=True, min_size=1, max_size=4)
CANDIDATES = st.dictionaries(
    ITEM, st.sets(st.sampled_from(SOURCES), min_size=1, max_size=3), max_size=6
)
