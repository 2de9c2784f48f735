import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.training.ranking_lists import NOTHING, Lists

TASKS, COLUMNS = 2, 3


def made(lengths, width=None, seed=0, labels=0.3):
    """Random lists; a candidate's features repeat its list's user and its row."""
    random = np.random.default_rng(seed)
    width = max(lengths, default=0) if width is None else width
    count = len(lengths)
    real = np.arange(width) < np.array(lengths, int)[:, np.newaxis]
    user = random.permutation(100)[:count]
    row = np.array([random.permutation(50)[:width] for _ in range(count)], np.int32)
    row = np.where(real, row.reshape(count, width), NOTHING)
    features = np.zeros((count, width, COLUMNS), np.float16)
    features[..., 0], features[..., 1] = user[:, np.newaxis], row
    heavy = random.integers(1, 4, count)[:, np.newaxis]
    return Lists(
        user=user,
        row=row,
        features=np.where(real[..., np.newaxis], features, 0),
        label=(random.random((count, width, TASKS)) < labels) & real[..., np.newaxis],
        weight=(real * heavy).astype(np.float32),
        query={"age": user / 2, "city": np.array([f"c{u}" for u in user], object)},
        wanted=user + 1,
    )


def candidates(lists):
    """Each list's user, query, wanted and real candidates, in their order."""
    found = []
    for n, user in enumerate(lists.user):
        rows = [
            (lists.row[n, m], *lists.label[n, m], *lists.features[n, m])
            for m in range(lists.row.shape[1])
            if lists.row[n, m] != NOTHING
        ]
        query = (lists.query["age"][n], lists.query["city"][n])
        found.append((user, *query, lists.wanted[n], rows))
    return found


def check_padding(lists):
    nothing = lists.row == NOTHING
    np.testing.assert_array_equal(nothing, np.sort(nothing, axis=1))
    assert not lists.weight[nothing].any()
    assert not lists.label[nothing].any()
    assert (lists.weight[~nothing] > 0).all()


def dtypes(lists):
    names = ("user", "row", "features", "label", "weight", "wanted")
    return [getattr(lists, name).dtype for name in names]


@pytest.mark.parametrize("kept", [[True, False, True, False], [2, 0], [], [3, 3]])
def test_of_keeps_some_lists_whole(kept):
    lists = made([2, 4, 3, 1])
    index = np.array(kept, bool if True in kept else int)
    chosen = np.arange(4)[index].tolist()
    part = lists.of(index)
    assert candidates(part) == [candidates(lists)[n] for n in chosen]
    np.testing.assert_array_equal(part.weight, lists.weight[chosen])
    assert dtypes(part) == dtypes(lists)


def test_joined_pads_to_the_longest():
    parts = [made([2, 1], seed=1), made([5], seed=2), made([3, 0, 2], width=4, seed=3)]
    whole = Lists.joined(parts)
    assert whole.row.shape == whole.weight.shape == (6, 5)
    assert (whole.features.shape, whole.label.shape) == ((6, 5, 3), (6, 5, 2))
    assert candidates(whole) == [row for part in parts for row in candidates(part)]
    total = [weight for part in parts for weight in part.weight.sum(axis=1)]
    np.testing.assert_array_equal(whole.weight.sum(axis=1), total)
    check_padding(whole)
    assert dtypes(whole) == dtypes(parts[0])


LENGTHS = st.lists(st.integers(0, 12), min_size=1, max_size=5)


@given(LENGTHS, st.integers(1, 6), st.integers(0, 99), st.sampled_from([0, 0.3, 1]))
def test_thinned_lists_stand_for_the_whole(lengths, negatives, seed, labels):
    lists = made(lengths, 12, seed, labels)
    thin = lists.thinned(negatives, np.random.default_rng(seed))
    check_padding(thin)
    assert dtypes(thin) == dtypes(lists)
    widest = 0
    for n, (before, after) in enumerate(
        zip(candidates(lists), candidates(thin), strict=True)
    ):
        assert after[:-1] == before[:-1]
        # In their order, and nothing that was not there.
        assert after[-1] == [row for row in before[-1] if row in after[-1]]
        happened = [row for row in before[-1] if any(row[1:3])]
        assert [row for row in after[-1] if any(row[1:3])] == happened
        left = min(negatives, lengths[n] - len(happened))
        assert len(after[-1]) == len(happened) + left
        widest = max(widest, len(after[-1]))
        one = lists.weight[n, 0]
        for (_, *labels, _, _, _), weight in zip(
            after[-1], thin.weight[n], strict=False
        ):
            alone = any(labels) or not left
            share = one if alone else one * (lengths[n] - len(happened)) / left
            assert weight == pytest.approx(share)
    assert thin.row.shape == thin.weight.shape == (len(lengths), widest)
    np.testing.assert_allclose(  # sums of float32
        thin.weight.sum(axis=1), lists.weight.sum(axis=1), rtol=1e-5
    )


def test_negatives_are_drawn_evenly():
    lists = made([6] * 50, labels=0)
    random, drawn = np.random.default_rng(5), np.zeros((50, 50), int)
    for _ in range(40):
        thin = lists.thinned(2, random)
        for n, rows in enumerate(thin.row):
            drawn[n, rows] += 1
    by_place = [drawn[np.arange(50), lists.row[:, m]].mean() / 40 for m in range(6)]
    np.testing.assert_allclose(by_place, 1 / 3, atol=0.05)


def test_no_lists_can_be_thinned():
    lists = made([3, 2]).of(np.zeros(2, bool)).thinned(2, np.random.default_rng(1))
    assert len(lists.user) == len(lists.row) == len(lists.query["age"]) == 0


def test_inputs_are_those_of_the_chosen_lists():
    lists = made([2, 4, 3])
    inputs = lists.inputs(np.array([2, 0]))
    assert set(inputs) == {"candidate_row", "candidate_features", "age", "city"}
    np.testing.assert_array_equal(inputs["candidate_row"], lists.row[[2, 0]])
    np.testing.assert_array_equal(inputs["candidate_features"], lists.features[[2, 0]])
    assert inputs["candidate_features"].dtype == np.float32
    assert inputs["age"].tolist() == [lists.user[2] / 2, lists.user[0] / 2]
    assert inputs["city"].tolist() == [f"c{lists.user[2]}", f"c{lists.user[0]}"]


def test_lists_count_as_often_as_told():
    lists = made([2, 3])
    twice = lists.counting(np.array([1, 2], np.float32))
    assert twice.weight[0].tolist() == lists.weight[0].tolist()
    assert twice.weight[1].tolist() == (2 * lists.weight[1]).tolist()
    assert twice.weight.dtype == np.float32
