"""What becomes of an item, against what `recommend` and `rank` answer."""

import numpy as np
import pytest

from tests.integration.export.conftest import MOMENT
from tests.integration.export.test_recommender import HISTORY, same

NOW = {"timestamp": [MOMENT], "history_item_id": [HISTORY]}
EVERYBODY = [f"i{n}" for n in range(60)]


def explain(ranked, items, **inputs):
    return ranked.ask("explain", item_id=[items], **{**NOW, **inputs})


def fates(ranked, items, **inputs):
    told = explain(ranked, items, **inputs)["fate"][0]
    return dict(zip(items, [fate.decode() for fate in told], strict=True))


def listed(ranked, **inputs):
    answer = ranked.ask("recommend", **{**NOW, **inputs})
    return answer, [item.decode() for item in answer["item_id"][0]]


def test_memory_and_disk_agree(ranked):
    asked = {"item_id": [EVERYBODY[:9]], **NOW, "k": 4}
    same(ranked.ask("explain", **asked), ranked.ask("explain", loaded=False, **asked))


def test_what_is_listed_is_told_as_it_was_listed(ranked):
    answer, items = listed(ranked, k=8)
    told = explain(ranked, items, k=8)
    assert set(told["fate"][0]) == {b"listed"}
    assert told["place"][0].tolist() == list(range(1, 9))
    assert told["rank"][0].tolist() == list(range(1, 9))
    names = [name for name in answer if name.startswith("probability_")]
    assert names
    for name in ("score", *names):
        np.testing.assert_allclose(told[name], answer[name], atol=1e-5)
    for sources, source in zip(told["sources"][0], answer["source"][0], strict=True):
        assert source in sources.split(b",")


def test_what_came_too_late_knows_its_rank(ranked):
    _, more = listed(ranked, k=20)
    told = explain(ranked, more[5:], k=5)
    assert set(told["fate"][0]) == {b"outranked"}
    assert not told["place"].any()
    assert told["rank"][0].tolist() == list(range(6, 21))


def test_what_nobody_proposed_has_no_rank(ranked):
    from tests.integration.export.conftest import defaults_of, tensor

    given = {**NOW, "k": 3}
    inputs = defaults_of(ranked.folder, "recommend")
    inputs |= {name: tensor(name, value) for name, value in given.items()}
    row = ranked.recommender.run_through(inputs).found.candidates.row.numpy()[0]
    proposed = {ranked.ids[r].decode() for r in row if r >= 0}
    rest = [item for item in EVERYBODY if item not in proposed]
    assert rest
    told = explain(ranked, rest, k=3)
    assert set(told["fate"][0]) == {b"not_proposed"}
    assert not told["rank"].any()
    assert (told["score"] > 0).all()  # as if it had been proposed


def test_rules_that_removed_an_item_are_named(ranked):
    found = fates(
        ranked,
        ["i2", "i3", "nothing"],
        k=1200,
        exclude=[["i2"]],
        allow_colour=[["white"]],
    )
    assert found == {"i2": "excluded", "i3": "filtered", "nothing": "unknown"}
    free = fates(ranked, ["i2", "i3"], k=1200)
    assert set(free.values()) == {"listed"}


def test_what_is_too_like_others_made_way(ranked):
    _, by_score = listed(ranked, k=5)
    _, spread = listed(ranked, k=5, diversity=[0.95])
    left = [item for item in by_score if item not in spread]
    assert left
    told = fates(ranked, by_score, k=5, diversity=[0.95])
    assert [item for item in by_score if told[item] == "made_way"] == left
    assert all(told[item] == "listed" for item in by_score if item not in left)


def test_the_retrieval_rank_is_that_of_the_scores(ranked):
    query = ranked.ask("embed_query", **NOW)["embedding"][0]
    scores = ranked.items @ query
    told = explain(ranked, EVERYBODY)
    rows = [ranked.ids.index(item.encode()) for item in EVERYBODY]
    expected = [1 + int((scores > scores[row]).sum()) for row in rows]
    np.testing.assert_allclose(told["retrieval_rank"][0], expected, atol=1)


@pytest.mark.parametrize(
    "history", [["i0", "i2", "i0", "i5"], [f"i{n}" for n in range(30)]]
)
def test_the_effect_of_an_item_is_what_its_absence_costs(ranked, history):
    asked = ["i0", "i4", "i7"]
    now = {"timestamp": [MOMENT]}

    def scores(events):
        rows = {"history_item_id": [events]} if events else {}
        return ranked.ask("rank", item_id=[asked], **now, **rows)["score"][0]

    told = explain(ranked, asked, history_item_id=[history])
    # The model itself sees only so many of the newest events.
    seen = history[-ranked.recommender.history_length :]
    newest = list(dict.fromkeys(seen[-20:][::-1]))
    left_out = [item.decode() for item in told["left_out_item_id"][0] if item]
    assert left_out == newest
    whole = scores(seen)
    effects = told["effect"][0]
    places = told["left_out_item_id"][0].tolist()
    for item in newest[:5]:
        expected = whole - scores([event for event in seen if event != item])
        found = effects[:, places.index(item.encode())]
        np.testing.assert_allclose(found, expected, atol=1e-5)
    empty = [place for place, item in enumerate(places) if not item]
    assert not effects[:, empty].any()
    for row, reason in enumerate(told["reason_item_id"][0]):
        best = effects[row].argmax()
        assert reason == (places[best] if effects[row, best] > 0 else b"")


def test_without_a_history_nothing_is_the_reason(ranked):
    told = ranked.ask("explain", item_id=[["i0", "i1"]], timestamp=[MOMENT])
    assert not told["effect"].any()
    assert set(told["reason_item_id"][0]) == {b""}


def test_the_same_items_are_explained_to_every_user_of_a_batch(ranked):
    histories = [["i0", "i2"], ["i1", "i3"]]
    both = ranked.ask(
        "explain", item_id=[["i4"]], timestamp=[MOMENT], history_item_id=histories
    )
    for number, history in enumerate(histories):
        alone = explain(ranked, ["i4"], history_item_id=[history])
        assert both["fate"][number].tolist() == alone["fate"][0].tolist()
        np.testing.assert_allclose(both["score"][number], alone["score"][0], atol=1e-5)
