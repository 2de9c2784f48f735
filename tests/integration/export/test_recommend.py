"""What every answer of the funnel must hold, with either index."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.export.conftest import MOMENT
from tests.integration.export.test_filtered_lists import (
    COLOURS,
    PRICES,
    allowed_rows,
    columns,
    filter_inputs,
    texts,
)
from tests.integration.export.test_recommender import (
    BARE,
    FULL,
    HISTORY,
    IDS,
    QUICK,
    same,
)
from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.data.co_purchases import read_co_purchases

__all__ = ["columns"]
NOBODY = {"timestamp": [MOMENT]}


def recommend(ranked, **inputs):
    return ranked.ask("recommend", **inputs)


@pytest.mark.parametrize("batch", [1, 3])
def test_memory_and_disk_agree(ranked, batch):
    inputs = {name: value * batch for name, value in FULL.items()} | {"k": 7}
    if batch > 1:
        inputs["history_item_id"] = [HISTORY, ["", "", "i5", "i7"], [""] * 4]
    loaded = recommend(ranked, **inputs)
    same(loaded, ranked.ask("recommend", loaded=False, **inputs))
    same(loaded, ranked.ask("serving_default", **inputs))
    assert loaded["item_id"].shape == (batch, 7)


def test_each_row_of_a_batch_is_answered_by_itself(ranked):
    rows = [HISTORY, ["", "", "", ""], ["i5", "i7", "nothing", ""]]
    together = recommend(ranked, history_item_id=rows, timestamp=[MOMENT], k=5)
    for number, row in enumerate(rows):
        alone = recommend(ranked, history_item_id=[row], timestamp=[MOMENT], k=5)
        scores = together["score"][number]
        np.testing.assert_allclose(alone["score"][0], scores, atol=1e-5)


@QUICK
@given(
    exclude=IDS,
    allow=COLOURS,
    block=COLOURS,
    low=PRICES,
    high=PRICES,
    k=st.integers(0, 1300),
    diversity=st.sampled_from([0.0, 0.0, 0.4, 1.0]),
)
def test_no_forbidden_item_no_double_no_short_list(
    ranked, columns, exclude, allow, block, low, high, k, diversity
):
    if diversity:
        k = min(k, 30)  # chosen one by one
    answer = recommend(
        ranked,
        **BARE,
        **filter_inputs(allow, block, low, high),
        exclude=texts(exclude),
        k=k,
        diversity=[diversity],
    )
    rows = allowed_rows(columns, allow, block, low, high)
    rows = [row for row in rows if ranked.ids[row].decode() not in exclude]
    listed = [item for item in answer["item_id"][0].tolist() if item]
    assert len(listed) == len(set(listed)) == min(k, len(rows))
    assert {ranked.ids.index(item) for item in listed} <= set(rows)
    scores = answer["score"][0][: len(listed)]
    assert np.isfinite(scores).all()
    if not diversity:
        assert (np.diff(scores) <= 0).all()


def test_a_given_item_has_the_score_that_a_list_gives_it(ranked):
    answer = recommend(ranked, **FULL, k=15)
    scored = ranked.ask("rank", **FULL, item_id=answer["item_id"])
    np.testing.assert_allclose(scored["score"], answer["score"], rtol=2e-4)
    for task in ("view", "purchase"):
        name = f"probability_{task}"
        np.testing.assert_allclose(scored[name], answer[name], rtol=2e-4)


def test_an_unknown_item_scores_nothing(ranked):
    answer = ranked.ask("rank", **BARE, item_id=[["nothing", "i3", ""]])
    assert (answer["score"][0] == 0).tolist() == [True, False, True]


def test_a_purchase_is_no_likelier_than_a_view(toy_ranker):
    random = np.random.default_rng(0)
    features = random.normal(size=(3, 8, toy_ranker.columns)).astype(np.float32)
    query = {"team": np.array([0, 1, 2]), "timestamp": np.array([MOMENT] * 3)}
    row = random.integers(0, 1200, (3, 8)).astype(np.int32)
    given = {
        **query,
        "candidate_features": features,
        "candidate_row": row,
        "item_vectors": random.normal(size=(1200, toy_ranker.vector_width)).astype("f"),
        "attended_row": random.integers(-1, 1200, (3, 5)).astype(np.int32),
        "attended_type": random.integers(0, 4, (3, 5)),
        "attended_age_days": random.uniform(0, 90, (3, 5)).astype("f"),
    }
    view, purchase = np.moveaxis(toy_ranker(given).numpy(), -1, 0)
    assert (purchase < view).all()  # before calibration: the entire space is configured


def test_probabilities_are_some(ranked):
    answer = recommend(ranked, **FULL, k=30)
    for task in ("view", "purchase"):
        p = answer[f"probability_{task}"]
        assert ((p > 0) & (p < 1)).all()


def test_the_score_is_the_configured_formula(ranked, columns):
    answer = recommend(ranked, **FULL, k=30)
    mean = np.nanmean(columns.price)
    for item, score, purchase in zip(
        *(answer[n][0] for n in ("item_id", "score", "probability_purchase")),
        strict=True,
    ):
        price = columns.price[ranked.ids.index(item)]
        price = mean if math.isnan(price) else price
        assert score == pytest.approx(purchase * (1 + price) ** 0.1, rel=1e-3)


def test_sources_and_reasons_are_named(ranked):
    answer = recommend(ranked, **FULL, k=60)  # all candidates
    assert set(answer["source"][0].tolist()) <= {name.encode() for name in SOURCES}
    assert set(answer["reason_item_id"][0].tolist()) <= {
        b"",
        *(item.encode() for item in HISTORY),
    }
    repeated = [item in HISTORY for item in map(bytes.decode, answer["item_id"][0])]
    named = [source == b"repeat" for source in answer["source"][0]]
    assert named == repeated
    assert any(repeated)


def test_nobody_gets_a_list_without_reasons(ranked):
    answer = recommend(ranked, **NOBODY, k=12)
    assert b"" not in answer["item_id"]
    assert set(answer["reason_item_id"][0].tolist()) == {b""}
    assert set(answer["source"][0].tolist()) <= {b"popular", b"two_tower", b"new"}


def test_diversity_spreads_lists(ranked):
    histories = [[f"i{n + step}" for step in (0, 2, 4, 6)] for n in range(40)]
    inputs = {name: value * len(histories) for name, value in FULL.items()}
    inputs["history_item_id"] = histories

    def likeness(diversity):
        answer = recommend(ranked, **inputs, k=10, diversity=[diversity])
        rows = np.vectorize(ranked.ids.index)(answer["item_id"])
        alike = ranked.recommender.directions.embeddings.numpy()[rows]
        return np.triu(alike @ alike.transpose(0, 2, 1), 1).mean()

    assert likeness(1.0) < likeness(0.5) <= likeness(0.0)


def test_contributions_add_up_to_the_linear_part_of_the_score(ranked, toy_encoded):
    tower = ranked.recommender.query_tower
    log = toy_encoded.dataset.events
    reader = toy_encoded.reader(tower.config.longest_history)
    users = np.array([0, 7, 30])
    ends = log.row_splits[users + 1]
    inputs = reader(users, ends, np.full(3, MOMENT), ends - 1)
    items = tf.constant(ranked.items[np.newaxis, :40].repeat(3, axis=0))
    added = tower.contributions(tower.embedded(inputs), items).numpy()
    assert added.shape == (3, 40, tower.config.longest_history)
    real = inputs["history_item_id"].numpy() != 0
    assert (added[np.broadcast_to(~real[:, None], added.shape)] == 0).all()
    vector = tower(inputs).numpy()
    dim = tower.config.embedding_dim
    # Without the linear projection what is left is the dense layers' part.
    kernel = tower.linear.kernel.numpy()
    tower.linear.kernel.assign(0 * kernel)
    rest = tower(inputs).numpy()
    tower.linear.kernel.assign(kernel)
    linear = np.einsum("bd,bnd->bn", (vector - rest)[:, :dim], items[..., :dim])
    np.testing.assert_allclose(added.sum(axis=2), linear, atol=1e-4)


def test_the_ranker_sees_more_events_than_the_towers(ranked):
    towers = ranked.recommender.query_tower.config.longest_history
    shown = ranked.recommender.history_length
    newest = [f"i{n}" for n in range(shown)]

    def told(place, item):
        """The query's vector and i70's score; an item stands at a place from behind."""
        history = {"history_item_id": [[item, *newest[:place]]], **NOBODY}
        score = ranked.ask("rank", item_id=[["i70"]], **history)["score"]
        return ranked.ask("embed_query", **history)["embedding"], score

    for place, is_embedded, is_ranked in [
        (towers - 1, True, True),
        (towers, False, True),
        (shown - 1, False, True),
        (shown, False, False),
    ]:
        (vector, score), (other, without) = told(place, "i70"), told(place, "i72")
        assert (vector != other).any() == is_embedded, place
        assert (score != without).any() == is_ranked, place


def test_what_is_listed_reacts_to_the_newest_event(ranked):
    before = recommend(ranked, **BARE, k=20)["item_id"][0].tolist()
    now = {**BARE, "history_item_id": [[*HISTORY, "i31"]]}
    after = recommend(ranked, **now, k=20)["item_id"][0].tolist()
    assert before != after


def test_a_basket_is_completed_by_what_is_bought_with_it(ranked, toy_encoded, columns):
    pairs = read_co_purchases(toy_encoded.dataset.folder)
    owners = np.flatnonzero(np.diff(pairs.row_splits))[:2]
    lift = {}
    for owner in owners:
        span = slice(*pairs.row_splits[owner : owner + 2])
        for other, one in zip(pairs.other[span], pairs.lift[span], strict=True):
            lift[other] = lift.get(other, 0.0) + math.log1p(one) / len(owners)
    lift = {other: one for other, one in lift.items() if other not in owners}
    basket = [[ranked.ids[owner] for owner in owners]]
    answer = ranked.ask("complete_basket", basket_item_id=basket, k=50)
    listed = [item for item in answer["item_id"][0].tolist() if item]
    assert {ranked.ids.index(item) for item in listed} == set(lift)
    expected = sorted(lift.values(), reverse=True)
    np.testing.assert_allclose(answer["lift"][0][: len(listed)], expected, rtol=1e-5)
    dear = ranked.ask("complete_basket", basket_item_id=basket, k=50, min_price=[5.0])
    kept = [item for item in dear["item_id"][0].tolist() if item]
    assert kept == [i for i in listed if columns.price[ranked.ids.index(i)] >= 5.0]


def test_an_unknown_basket_has_no_complement(ranked):
    answer = ranked.ask("complete_basket", basket_item_id=[["nothing", ""]], k=4)
    assert answer["item_id"].tolist() == [[b""] * 4]
