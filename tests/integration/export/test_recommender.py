"""What every answer of a published model must hold, with either index."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.export.conftest import MOMENT

HISTORY = ["i2", "i40", "i6", "i88"]
TIMES = [MOMENT - days * 86400 for days in (40, 9, 3, 1)]
TYPES = ["view", "purchase", "purchase", "view"]
FULL = {
    "history_item_id": [HISTORY],
    "history_event_type": [TYPES],
    "history_timestamp": [TIMES],
    "timestamp": [MOMENT],
    "team": ["t0"],
}
BARE = {"history_item_id": [HISTORY], "timestamp": [MOMENT]}
QUICK = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
KNOWN = st.integers(0, 1199).map("i{}".format)
UNKNOWN = st.sampled_from(["", "nothing", "i1200", "I5"])
IDS = st.lists(KNOWN | UNKNOWN, max_size=30)


def same(left, right, atol=1e-5):
    assert left.keys() == right.keys()
    for name, value in left.items():
        if value.dtype == object:
            assert value.tolist() == right[name].tolist()
        else:
            np.testing.assert_allclose(value, right[name], atol=atol)


def best(served, query, k, without=()):
    """The ids by a plain sort of all products."""
    return best_by(served.items @ query, served, k, without)


def best_by(scores, served, k, without):
    order = sorted(range(len(scores)), key=lambda row: -scores[row])
    allowed = [row for row in order if served.ids[row].decode() not in without]
    return [served.ids[row] for row in allowed[:k]], scores[allowed[:k]]


def test_an_event_log_query_and_a_raw_request_have_one_embedding(
    served, toy_model, toy_encoded
):
    log = toy_encoded.dataset.events
    types = toy_encoded.dataset.spec.event_types
    reader = toy_encoded.reader(toy_model.config.history_length)
    for user in (0, 7, 100):
        start, end = log.row_splits[user : user + 2]
        trained = toy_model.query_tower(
            reader(*(np.array([n]) for n in (user, end, MOMENT, end - 1)))
        ).numpy()
        asked = served.ask(
            "embed_query",
            history_item_id=[[served.ids[i] for i in log.item[start:end]]],
            history_event_type=[[types[t] for t in log.event_type[start:end]]],
            history_timestamp=[log.timestamp[start:end]],
            timestamp=[MOMENT],
            team=[log.profile["team"][user]],
        )
        np.testing.assert_allclose(asked["embedding"], trained, atol=1e-5)


@pytest.mark.parametrize("batch", [1, 3])
def test_memory_and_disk_and_numpy_agree(served, batch):
    inputs = {name: value * batch for name, value in FULL.items()}
    if batch > 1:
        inputs["history_item_id"] = [HISTORY, ["", "", "i5", "i7"], ["i9"] * 4]
    inputs["k"] = 7
    loaded = served.ask(**inputs)
    same(loaded, served.ask(loaded=False, **inputs))
    same(loaded, served.ask("serving_default", **inputs))
    query = {name: value for name, value in inputs.items() if name != "k"}
    vectors = served.ask("embed_query", **query)
    same(vectors, served.ask("embed_query", loaded=False, **query))
    assert vectors["embedding"].shape == served.items[:batch].shape
    for row in range(batch):
        ids, scores = best(served, vectors["embedding"][row], 7)
        listed = loaded["item_id"][row].tolist()
        if served.index == "exact":
            assert listed == ids
            np.testing.assert_allclose(loaded["score"][row], scores, atol=1e-5)
        else:
            assert len(set(listed) & set(ids)) >= 4
        table = dict(zip(served.ids, served.items, strict=True))
        exact = [table[item] @ vectors["embedding"][row] for item in listed]
        np.testing.assert_allclose(loaded["score"][row], exact, atol=1e-4)


def test_each_row_of_a_batch_is_answered_by_itself(served):
    rows = [HISTORY, ["", "", "", ""], ["i5", "i7", "nothing", ""]]
    together = served.ask(history_item_id=rows, timestamp=[MOMENT], k=5)
    for number, row in enumerate(rows):
        alone = served.ask(history_item_id=[row], timestamp=[MOMENT], k=5)
        np.testing.assert_allclose(
            alone["score"][0], together["score"][number], atol=1e-5
        )
    inputs = {**BARE, "history_item_id": rows[:2]}
    assert served.ask(k=[2, 4], **inputs)["item_id"].shape == (2, 4)


def test_lists_are_ordered_and_without_doubles(served):
    answer = served.ask(k=100, **BARE)
    assert (np.diff(answer["score"][0]) <= 0).all()
    assert len(set(answer["item_id"][0].tolist())) == 100


def test_k_per_row_fills_up_with_empty_ids_and_zeros(served):
    rows = [HISTORY, ["i5", "i7", "", ""], HISTORY]
    answer = served.ask(history_item_id=rows, timestamp=[MOMENT], k=[0, 3, 6])
    filled = (answer["item_id"] != b"").tolist()
    assert filled == [[False] * 6, [True] * 3 + [False] * 3, [True] * 6]
    assert (answer["score"][answer["item_id"] == b""] == 0).all()


@pytest.mark.parametrize("k", [0, -3])
def test_no_items_are_asked_for(served, k):
    assert served.ask(k=k, **BARE)["item_id"].shape == (1, 0)


@pytest.mark.parametrize("k", [1199, 1200, 5000])
def test_a_k_beyond_the_catalogue_lists_everything_once(served, k):
    (listed,) = served.lists(k=k, **BARE)
    assert len(listed) == len(set(listed)) == min(k, 1200)


def test_without_k_there_are_ten(served):
    assert [len(row) for row in served.lists(**BARE)] == [10]


@QUICK
@given(history=IDS, exclude=IDS, k=st.integers(0, 40))
def test_what_is_excluded_is_never_listed_and_lists_are_full(
    served, history, exclude, k
):
    (listed,) = served.lists(
        history_item_id=np.array([history], object).reshape(1, -1),
        timestamp=[MOMENT],
        exclude=np.array([exclude], object).reshape(1, -1),
        k=k,
    )
    assert not {item.decode() for item in listed} & set(exclude)
    assert len(listed) == len(set(listed)) == k


@pytest.mark.parametrize("left", [0, 1, 5])
def test_a_list_is_as_long_as_items_are_left(served, left):
    exclude = [item.decode() for item in served.ids[left:]]
    (listed,) = served.lists(k=10, exclude=[exclude], **BARE)
    assert sorted(listed) == sorted(served.ids[:left])


def test_the_best_ones_can_be_excluded_page_by_page(served):
    pages, exclude = [], []
    for _ in range(4):
        (page,) = served.lists(k=25, exclude=[exclude], **BARE)
        pages += page
        exclude = [item.decode() for item in pages]
    assert len(pages) == len(set(pages)) == 100


def test_one_exclusion_serves_the_whole_batch(served):
    (first,) = served.lists(k=3, **BARE)
    exclude = [[item.decode() for item in first]]
    lists = served.lists(
        k=3, exclude=exclude, history_item_id=[HISTORY] * 2, timestamp=[MOMENT]
    )
    assert all(not set(row) & set(first) for row in lists)


def test_unknown_ids_change_nothing(served):
    exclude = {"exclude": [["nothing", ""]]}
    same(served.ask(**BARE), served.ask(**BARE, **exclude))
    # An id that the training never saw is an event of its own in a history.
    assert len(served.lists(history_item_id=[["nothing"] * 3])[0]) == 10


@pytest.mark.parametrize("pad", [1, 9])
def test_padding_counts_on_neither_side(served, pad):
    def padded(before, after):
        return {
            "history_item_id": [[""] * before + HISTORY + [""] * after],
            "history_event_type": [[""] * before + TYPES + [""] * after],
            "history_timestamp": [[0] * before + TIMES + [0] * after],
            "timestamp": [MOMENT],
            "team": ["t0"],
        }

    plain = served.ask("embed_query", **FULL)
    same(plain, served.ask("embed_query", **padded(pad, 0)), 1e-6)
    same(plain, served.ask("embed_query", **padded(0, pad)), 1e-6)
    same(plain, served.ask("embed_query", **padded(pad, pad)), 1e-6)


@pytest.mark.parametrize("behind", [0, 4])
def test_a_long_history_is_its_last_twenty(served, behind):
    items = [f"i{n}" for n in range(35)] + [""] * behind
    times = [MOMENT - (40 - n) * 86400 for n in range(35)] + [0] * behind
    long = {"history_item_id": [items], "history_timestamp": [times]}
    last = {"history_item_id": [items[15:]], "history_timestamp": [times[15:]]}
    longest = {"history_item_id": [items[14:]], "history_timestamp": [times[14:]]}
    answer = served.ask("embed_query", timestamp=[MOMENT], **long)
    same(answer, served.ask("embed_query", timestamp=[MOMENT], **last), 1e-6)
    same(answer, served.ask("embed_query", timestamp=[MOMENT], **longest), 1e-6)


def test_omitted_inputs_have_their_defaults(served):
    """No type is a purchase, no timestamp is the moment of the request."""
    written = {
        "history_event_type": [["purchase"] * 4],
        "history_timestamp": [[MOMENT] * 4],
        "team": [""],
    }
    same(served.ask(**BARE), served.ask(**BARE, **written))
    other = {**written, "history_timestamp": [[MOMENT - 10**7] * 3 + [MOMENT]]}
    left, right = (
        served.ask("embed_query", **BARE),
        served.ask("embed_query", **BARE, **other),
    )
    assert not np.allclose(left["embedding"], right["embedding"], atol=1e-3)


def test_nothing_at_all_lists_ten_items_for_somebody_new(served):
    assert [len(row) for row in served.lists()] == [10]


@pytest.mark.parametrize("signature", ["retrieve", "embed_query"])
def test_an_empty_batch_has_an_empty_answer(served, signature):
    empty = np.zeros((0, 3), object)
    answer = served.ask(signature, history_item_id=empty)
    assert all(len(value) == 0 for value in answer.values())


def test_an_empty_batch_of_items(served):
    answer = served.ask("similar_items", item_id=np.zeros(0, object))
    assert len(answer["item_id"]) == 0


@pytest.mark.parametrize("name", ["history_event_type", "history_timestamp"])
def test_histories_of_unequal_lengths_are_refused(served, name):
    inputs = {**FULL, name: [FULL[name][0][:2]]}
    with pytest.raises(tf.errors.InvalidArgumentError, match="same length"):
        served.ask(**inputs)


def test_batches_of_unequal_sizes_are_refused(served):
    with pytest.raises(tf.errors.InvalidArgumentError):
        served.ask(**{**FULL, "history_item_id": [HISTORY] * 3, "team": ["t0"] * 2})


@QUICK
@given(items=st.lists(KNOWN, min_size=1, max_size=4), k=st.integers(1, 30))
def test_similar_items_never_holds_the_item_itself(served, items, k):
    answer = served.ask("similar_items", item_id=items, k=k)
    for own, row in zip(items, answer["item_id"].tolist(), strict=True):
        assert own.encode() not in row
        assert len(set(row)) == k
        assert b"" not in row


def test_similar_items_are_the_nearest_by_cosine_whatever_their_trend(
    served, toy_model
):
    """Neither index is asked for them: cosines need no approximation."""
    dim = toy_model.config.embedding_dim
    assert served.items.shape[1] == dim + toy_model.config.trend_dim
    answer = served.ask("similar_items", item_id=["i8"], k=5)
    own = served.items[served.ids.index(b"i8"), :dim]
    norms = np.linalg.norm(served.items[:, :dim], axis=1)
    cosines = served.items[:, :dim] @ own / norms / np.linalg.norm(own)
    _, scores = best_by(cosines, served, 5, {"i8"})
    np.testing.assert_allclose(answer["score"][0], scores, atol=1e-5)
    # Items without events may be equal in all that the tower reads, so ids may differ.
    listed = [cosines[served.ids.index(item)] for item in answer["item_id"][0].tolist()]
    np.testing.assert_allclose(listed, scores, atol=1e-5)


def test_an_unknown_item_has_no_neighbours_and_harms_no_other(served):
    answer = served.ask("similar_items", item_id=["nothing", "i8", ""], k=3)
    assert answer["item_id"][[0, 2]].tolist() == [[b""] * 3] * 2
    assert answer["score"][[0, 2]].tolist() == [[0.0] * 3] * 2
    alone = served.ask("similar_items", item_id=["i8"], k=3)
    assert answer["item_id"][1].tolist() == alone["item_id"][0].tolist()


def test_similar_items_leaves_out_what_is_excluded(served):
    first = served.ask("similar_items", item_id=["i8"], k=3)["item_id"]
    second = served.ask("similar_items", item_id=["i8"], k=3, exclude=first)["item_id"]
    assert not set(first[0].tolist()) & set(second[0].tolist())
    assert b"" not in second
