import math

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.export.exploration import explored


def by_loop(order, wanted, score, new, share):
    """One list, place by place."""
    chosen = list(order)
    real = [p for p in chosen[:wanted] if score[p] > -math.inf]
    due = int(share * wanted + 1e-4) - sum(new[p] for p in real)
    waiting = [p for p in range(len(score)) if new[p] and p not in real]
    waiting = sorted(
        (p for p in waiting if score[p] > -math.inf), key=lambda p: -score[p]
    )
    newcomers = waiting[: max(due, 0)]
    for place in range(wanted - 1, -1, -1):
        if newcomers and chosen[place] in real and not new[chosen[place]]:
            # The best newcomer comes first, so the last place is for the worst.
            chosen[place] = newcomers.pop()
    return chosen


@st.composite
def lists(draw):
    n = draw(st.integers(1, 12))
    width = draw(st.integers(0, n))
    score = draw(
        st.lists(
            st.integers(0, 1000).map(float) | st.just(-math.inf),
            min_size=n,
            max_size=n,
            unique_by=lambda v: v if v > -math.inf else object(),
        )
    )
    new = draw(st.lists(st.booleans(), min_size=n, max_size=n))
    wanted = draw(st.integers(0, width))
    order = np.argsort(-np.array(score), kind="stable")[:width]
    return order, wanted, score, new


@settings(deadline=None)
@given(lists(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9]))
def test_newcomers_get_the_last_places(one, share):
    order, wanted, score, new = one
    places = tf.constant(order[np.newaxis, :], tf.int32)
    found = explored(
        places,
        tf.constant([wanted]),
        tf.constant([score], tf.float32),
        tf.constant([new]),
        share,
    )
    # Enough newcomers may be waiting for every old place, never for more.
    expected = by_loop(order.tolist(), wanted, score, new, share)
    assert found.numpy()[0, :wanted].tolist() == expected[:wanted]
    assert len(set(expected[:wanted])) == wanted
