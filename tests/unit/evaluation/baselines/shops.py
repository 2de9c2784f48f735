"""Little random shops, and what plain loops know of them."""

import numpy as np
from hypothesis import strategies as st

from tests.unit.data.logs import log_of
from tfrs_app.evaluation.past import Past
from tfrs_app.evaluation.protocol import Target, ask

DAY = 86400
ITEMS = 5
WEIGHT = {0: 0.5, 1: 1.0}
NOW = 15
"""The day of the question; events of random users are on days 0 to 12."""

EVENT = st.tuples(st.integers(0, 12), st.integers(0, 4), st.integers(0, 1))
USERS = st.lists(
    st.lists(EVENT, min_size=1, max_size=6).map(sorted), min_size=1, max_size=6
)


def in_days(users):
    return [[(day * DAY, item, kind) for day, item, kind in u] for u in users]


def asked(users, target=Target.ALL, content=None, now=NOW):
    """The past and a question of everybody: each buys the next item after it."""
    future = [[*user, (20, (user[-1][1] + 1) % ITEMS, 1)] for user in users]
    log = log_of(in_days(future))
    past = Past.of(log, now * DAY, ITEMS, content)
    return past, ask(log, target, now * DAY, None)


def summed(users, half_life):
    """Decayed weight of every pair, from a loop: [users][items]."""
    table = [[0.0] * ITEMS for _ in users]
    for row, user in zip(table, users, strict=True):
        for day, item, kind in user:
            age = NOW - day
            decay = 1.0 if half_life is None else 0.5 ** (age / half_life)
            row[item] += WEIGHT[kind] * decay
    return table


def clipped(table):
    return [[min(value, 1.0) for value in row] for row in table]


def everybody(scorer, question):
    rows = slice(0, len(question.user))
    return np.asarray(scorer.scores(question, rows), np.float64)
