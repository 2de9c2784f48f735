"""A ranker's training: what it learns from and what comes back from disk."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from numpy.linalg import norm
from rich.console import Console

from beam import impression_tables
from beam.impression_tables import read_impressions
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.artifacts import read_manifest
from tfrs_app.contract.config import ExportConfig
from tfrs_app.contract.errors import ArtifactError, DataError
from tfrs_app.contract.ranking_config import SOURCES
from tfrs_app.data.raw_queries import raw_queries
from tfrs_app.export.publish import build_recommender
from tfrs_app.layers.grouping import NOTHING
from tfrs_app.models.funnel import Funnel
from tfrs_app.models.item_state import ItemKnowledge
from tfrs_app.models.ranking import FEATURES, ROW, VECTORS
from tfrs_app.training.list_maker import EVERYTHING, ListMaker
from tfrs_app.training.ranking import RankingTraining
from tfrs_app.training.ranking_examples import moments_of, ranking_examples
from tfrs_app.training.ranking_lists import Lists
from tfrs_app.training.runs import EARLIER_WEIGHTS, load_ranking, load_retrieval

pytestmark = pytest.mark.slow

PROPOSED = slice(-3 - len(SOURCES), -3)
"""Columns that tell who proposed a candidate; lifts follow."""
TRUSTED = PROPOSED.start - 4
"""Column that tells whether towers are trusted; their score's three parts follow."""
SHOWN = -2
"""Column that tells whether it was shown; the last one tells where."""


@pytest.fixture(scope="module")
def stages(toy_run):
    return toy_run.stages


@pytest.fixture(scope="module")
def towers(stages):
    return load_retrieval(stages.run_folder, stages.encoded, weights=EARLIER_WEIGHTS)


@pytest.fixture(scope="module")
def examples(stages, towers):
    ranking = stages.config.ranking
    return ranking_examples(stages.encoded, towers, ranking)


def test_a_loaded_ranker_measures_what_its_training_did(stages, examples):
    training = RankingTraining(stages.encoded, stages.config.ranking, examples)
    training.model = load_ranking(
        stages.ranking_folder, stages.encoded, stages.run_folder.name
    )
    recorded = read_manifest(stages.ranking_folder).counts
    for name, value in training.measured().items():
        assert value == pytest.approx(recorded[name], abs=1e-4)


def test_lists_are_ordered_by_the_mean_of_all_members(stages, examples):
    ranker = stages.ranker
    inputs = {
        VECTORS: tf.constant(examples.vectors),
        **examples.held_out.inputs(np.arange(8)),
    }
    opinions = ranker.opinions(inputs).numpy()
    assert opinions.shape[2] == stages.config.ranking.members == 2
    assert not np.allclose(*np.moveaxis(opinions, 2, 0), atol=1e-2)
    np.testing.assert_allclose(ranker(inputs), opinions.mean(axis=2), rtol=1e-5)


def test_padding_changes_nothing(stages, examples):
    lists = examples.held_out.of(np.arange(8))
    count = int((lists.row[0] != NOTHING).sum())
    padded = {VECTORS: tf.constant(examples.vectors), **lists.inputs(np.arange(8))}
    own = {name: value[:1] for name, value in padded.items() if name != VECTORS}
    own |= {name: own[name][:, :count] for name in (ROW, FEATURES)}
    found = stages.ranker(padded).numpy()
    alone = stages.ranker({**own, VECTORS: padded[VECTORS]})
    assert (lists.row == NOTHING).any()
    assert not found[lists.row == NOTHING].any()
    np.testing.assert_allclose(found[:1, :count], alone, rtol=1e-5)


def test_a_member_learns_as_it_would_alone(stages, examples):
    nothing_shared = {"content": False, "target_attention": None, "dropout": 0.0}

    def training(members):
        changes = {**nothing_shared, "members": members}
        config = stages.config.ranking.model_copy(update=changes)
        return RankingTraining(stages.encoded, config, examples)

    both, alone = training(2), training(1)
    (lone,) = alone.model.members
    second = both.model.members[1]
    lone.set_weights(second.get_weights())
    before = lone.get_weights()
    both.run_epoch(0)
    alone.run_epoch(0)
    triples = zip(before, second.get_weights(), lone.get_weights(), strict=True)
    for start, learned, wanted in triples:
        assert norm(learned - wanted) < 0.05 * norm(wanted - start)


def test_towers_after_the_catch_up_are_others(stages, towers):
    caught_up = stages.towers
    pairs = zip(
        caught_up.query_tower.variables, towers.query_tower.variables, strict=True
    )
    assert any(not np.allclose(a.numpy(), b.numpy()) for a, b in pairs)


def test_held_out_users_never_train(examples):
    assert not set(examples.training.user) & set(examples.held_out.user)
    assert len(set(examples.held_out.user)) > 20


def test_lists_are_made_of_all_that_is_configured(examples):
    lists = examples.training
    bits = lists.features[..., PROPOSED]
    asked = [name for place, name in enumerate(SOURCES) if bits[..., place].any()]
    # These events stand in no session, so few items are known to go together.
    assert set(asked) >= {"two_tower", "repeat", "popular"}
    assert (lists.weight[lists.row < 0] == 0).all()
    assert not lists.label[lists.row < 0].any()


def maker_at(stages, moment_s, events, *, length=None, **changes):
    dataset = replace(stages.encoded.dataset)
    dataset.__dict__["events"] = events
    encoded = replace(stages.encoded, dataset=dataset)
    towers = load_retrieval(stages.run_folder, encoded, weights=EARLIER_WEIGHTS)
    ranking = stages.config.ranking.model_copy(update=changes)
    knowledge = ItemKnowledge(towers, encoded, ranking)
    knowledge.refresh(moment_s)
    funnel = Funnel(encoded, towers.query_tower, knowledge.state, ranking)
    length = length or ranking.longest_history(towers.config.longest_history)
    return ListMaker(funnel, encoded.reader(length), events, [0, 1])


def made_at(stages, moment_s, events, *, length=None, shown=None, **changes):
    maker = maker_at(stages, moment_s, events, length=length, **changes)
    users = np.flatnonzero(events.before(moment_s) > events.row_splits[:-1])[:32]
    few = None if shown is None else np.resize(shown, len(users))
    (lists,) = maker.made(users, moment_s, moment_s + 10**6, new_only=False, newest=few)
    return lists


def test_candidates_and_features_know_nothing_of_what_follows(stages):
    log = stages.encoded.dataset.events
    moment_s = stages.encoded.dataset.split.validation_start
    later = log.timestamp >= moment_s
    random = np.random.default_rng(1)
    items = np.where(later, random.permutation(log.item), log.item)
    other = replace(log, item=items.astype(log.item.dtype))
    now, then = made_at(stages, moment_s, log), made_at(stages, moment_s, other)
    np.testing.assert_array_equal(now.row, then.row)
    np.testing.assert_allclose(now.features, then.features, atol=2e-3)
    assert (now.label != then.label).any()


def test_a_list_as_if_of_a_newcomer_knows_the_last_events_only(stages):
    log = stages.encoded.dataset.events
    moment_s = stages.encoded.dataset.split.validation_start
    mixed = made_at(stages, moment_s, log, shown=[1, 3, EVERYTHING, 0])
    for place, length in [(0, 1), (1, 3), (2, None)]:
        alone = made_at(stages, moment_s, log, length=length)
        same = slice(place, None, 4)
        for name in ("row", "label"):
            short = getattr(alone, name)[same]
            long = getattr(mixed, name)[same]
            np.testing.assert_array_equal(long[:, : short.shape[1]], short)
        short = alone.features[same]
        found = mixed.features[same][:, : short.shape[1]]
        np.testing.assert_allclose(found, short, atol=2e-3)
    repeats = mixed.features[..., PROPOSED][..., SOURCES.index("repeat")]
    assert not repeats[3::4].any()
    assert repeats[0::4].any()


def test_some_lists_are_as_if_of_newcomers_if_the_config_says_so(stages, towers):
    config = stages.config.ranking.model_copy(update={"newcomers": 0.9})
    examples = ranking_examples(stages.encoded, towers, config)

    def repeats(lists):
        found = lists.features[..., PROPOSED][..., SOURCES.index("repeat")]
        return found.sum(axis=1)

    assert (repeats(examples.training) == 0).mean() > 0.15  # 0 of 0 to 3 events
    assert (repeats(examples.training) <= 3).mean() > 0.8
    assert (repeats(examples.held_out) > 3).mean() > 0.3


def test_a_served_ranker_is_told_what_the_lists_hold(stages, towers, examples):
    """The same probabilities from stored lists and from a request with raw inputs."""
    encoded, ranker = stages.encoded, stages.ranker
    moment_s = encoded.dataset.split.validation_start
    lists = made_at(stages, moment_s, encoded.dataset.events)
    exact = ExportConfig(index="exact")
    served, _ = build_recommender(towers, encoded, exact, ranker, moment_s)
    ids = encoded.dataset.catalogue["item_id"].astype(object)
    asked = np.where(lists.row >= 0, ids[np.maximum(lists.row, 0)], b"")
    ends = encoded.dataset.events.before(moment_s)[lists.user]
    length = served.history_length
    assert length > towers.config.longest_history
    moments = np.full(len(ends), moment_s)
    raw = raw_queries(encoded.dataset, lists.user, ends, moments, length)
    answer = served.signatures()["rank"](
        item_id=tf.constant(asked), **{n: tf.constant(v) for n, v in raw.items()}
    )
    told = lists.inputs(np.arange(len(lists.user)))
    logits = ranker({**told, "item_vectors": tf.constant(examples.vectors)})
    for task, wanted in ranker.probabilities(logits).items():
        found = answer[f"probability_{task}"].numpy()[lists.row >= 0]
        wanted = wanted.numpy()[lists.row >= 0]
        # Stored features have half the digits, which matters at an isotonic step.
        assert np.isclose(found, wanted, rtol=0.02, atol=0.003).mean() > 0.995
        np.testing.assert_allclose(found, wanted, atol=0.05)


def test_the_stored_events_are_the_newest_of_each_user(stages):
    log = stages.encoded.dataset.events
    moment_s = stages.encoded.dataset.split.validation_start
    lists = made_at(stages, moment_s, log)
    length = stages.config.ranking.target_attention.history
    assert lists.query["attended_row"].shape == (32, length)
    for place, user in enumerate(lists.user):
        mine = range(log.row_splits[user], log.row_splits[user + 1])
        seen = [n for n in mine if log.timestamp[n] < moment_s][-length:]
        missing = length - len(seen)
        rows = [-1] * missing + [int(log.item[n]) for n in seen]
        assert lists.query["attended_row"][place].tolist() == rows
        ages = [(moment_s - int(log.timestamp[n])) / 86_400 for n in seen]
        found = lists.query["attended_age_days"][place][missing:]
        np.testing.assert_allclose(found, ages, rtol=1e-5)
        kinds = lists.query["attended_type"][place][missing:]
        assert kinds.tolist() == [2 + int(log.event_type[n]) for n in seen]


def test_without_cross_features_nothing_else_is_left_out(stages):
    log = stages.encoded.dataset.events
    moment_s = stages.encoded.dataset.split.validation_start
    whole = made_at(stages, moment_s, log)
    bare = made_at(stages, moment_s, log, cross_features=False, target_attention=None)
    left = bare.features.shape[2]
    # Two half-lives: counts and those of baskets, times, a category and a number,
    # sums of the history.
    assert whole.features.shape[2] - left == 2 + 3 + 6 + 2 + 1 + 2 + 1
    np.testing.assert_array_equal(bare.row, whole.row)
    np.testing.assert_array_equal(bare.features, whole.features[..., -left:])
    assert not [name for name in bare.query if name.startswith("attended")]


def test_of_days_that_towers_were_trained_on_they_tell_nothing(stages, towers):
    config = stages.config.ranking.model_copy(update={"earlier_days": 4.0})
    examples = ranking_examples(stages.encoded, towers, config)
    for lists, some_earlier in [(examples.training, True), (examples.held_out, False)]:
        trusted, learned, factors, trend, proposed = (
            lists.features[..., TRUSTED + place][lists.row >= 0] for place in range(5)
        )
        assert set(trusted.tolist()) == ({0.0, 1.0} if some_earlier else {1.0})
        for told in (learned, trend, proposed):
            assert not told[trusted == 0].any()
            assert told[trusted == 1].any()
        assert not factors.any()  # the toy shop has none


def test_towers_that_are_not_trusted_tell_nothing(stages):
    log = stages.encoded.dataset.events
    moment_s = stages.encoded.dataset.split.validation_start
    told = made_at(stages, moment_s, log).features
    untold = made_at(stages, moment_s, log, trust_towers=False).features
    first = told.shape[2] + TRUSTED
    hidden = np.isin(np.arange(told.shape[2]) - first, [0, 1, 3, 4])
    assert told[..., hidden].any()
    assert not untold[..., hidden].any()
    np.testing.assert_array_equal(told[..., ~hidden], untold[..., ~hidden])


def test_the_towers_vectors_are_the_same_at_every_moment(stages, towers, examples):
    log, dim = stages.encoded.dataset.events, towers.config.embedding_dim
    for moment_s in (log.timestamp[0], stages.encoded.dataset.split.test_start):
        towers.fit_factors(int(moment_s))
        vectors = np.asarray(towers.embed_catalogue(int(moment_s)))
        np.testing.assert_allclose(examples.vectors, vectors[:, :dim], atol=1e-6)


def test_labels_are_what_happened_within_the_horizon(stages):
    log = stages.encoded.dataset.events
    moment_s = stages.encoded.dataset.split.validation_start
    lists = made_at(stages, moment_s, log)
    within = (log.timestamp >= moment_s) & (log.timestamp < moment_s + 10**6)
    for task in (0, 1):
        happened = within & (log.event_type == task)
        pairs = set(zip(log.user[happened], log.item[happened], strict=True))
        for user, row, label in zip(
            lists.user, lists.row, lists.label[..., task], strict=True
        ):
            assert [(user, item) in pairs for item in row] == label.tolist()


@pytest.fixture(scope="module")
def shown(stages):
    """What the toy shop showed to those who had events by then."""
    return stages.shown_lists()


@pytest.fixture(scope="module")
def with_shown(stages, towers, shown):
    return ranking_examples(stages.encoded, towers, stages.config.ranking, shown)


def test_shown_lists_train_and_judge(examples, shown, with_shown):
    assert 10 < len(shown.user) <= 200  # as configured
    training, judging = with_shown.training, with_shown.shown
    more = len(training.user) - len(examples.training.user)
    assert more == len(shown_in(training).user) > 0
    assert more + len(judging.user) == len(shown.user)
    assert set(judging.user) <= set(with_shown.held_out.user)
    assert not judging.features[..., SHOWN:].any()  # like lists that are served
    assert not set(training.user) & set(with_shown.held_out.user)


def test_no_list_is_dropped_uncounted(stages, shown, monkeypatch):
    first_s = stages.dataset.events.timestamp.min()

    def with_early_lists(*arguments):
        lists, told = read_impressions(*arguments)
        moment_s = np.where(np.arange(len(lists.user)) < 3, first_s, lists.moment_s)
        return replace(lists, moment_s=moment_s), told

    monkeypatch.setattr(impression_tables, "read_impressions", with_early_lists)
    console = Console(file=io.StringIO(), width=100)
    left = Stages(stages.config, console).shown_lists()
    assert len(left.user) == len(shown.user) - 3
    assert "3 lists left out: before a user's first event" in console.file.getvalue()


def shown_in(lists):
    return lists.of(lists.features[..., SHOWN].max(axis=1) == 1)


@pytest.mark.parametrize("place", [0, -2])  # none is shown after the last one
def test_shown_lists_have_the_tables_of_the_moment_before(
    stages, shown, with_shown, place
):
    moments = moments_of(stages.config.ranking, stages.encoded.dataset.split)
    trains = ~np.isin(shown.user, with_shown.held_out.user)
    then = shown.of(trains).between(moments[place], moments[place] + moments.step)
    maker = maker_at(stages, moments[place], stages.encoded.dataset.events)
    expected = Lists.joined(list(maker.shown(then)))
    found = shown_in(with_shown.training)
    some = slice(0, len(then.user)) if place == 0 else slice(-len(then.user), None)
    width = expected.row.shape[1]
    np.testing.assert_array_equal(found.row[some, :width], expected.row)
    same = found.features[some, :width]
    np.testing.assert_allclose(same, expected.features, atol=2e-3)


def shown_at_once(stages, events, shown, **changes):
    """Lists of what was shown, with towers and tables as of the span's start."""
    moment_s = stages.encoded.dataset.split.validation_start
    return next(maker_at(stages, moment_s, events, **changes).shown(shown))


def test_labels_of_shown_lists_are_what_followed_in_time(stages, shown):
    log = stages.encoded.dataset.events
    lists = shown_at_once(stages, log, shown)
    events = {}
    for key, when in zip(
        zip(log.user, log.item, log.event_type, strict=True), log.timestamp, strict=True
    ):
        events.setdefault(key, []).append(when)
    expected = np.zeros(lists.label.shape, bool)
    for place, column, kind in np.ndindex(*expected.shape):
        key = (lists.user[place], lists.row[place, column], kind)
        after = [when - shown.moment_s[place] for when in events.get(key, [])]
        expected[place, column, kind] = any(0 <= s < 48 * 3600 for s in after)
    np.testing.assert_array_equal(lists.label, expected)
    assert expected.any()


def test_shown_lists_know_nothing_of_what_follows(stages, shown):
    log, first = stages.encoded.dataset.events, shown.of(np.arange(len(shown.user)) < 1)
    later = log.timestamp >= first.moment_s
    random = np.random.default_rng(1)
    items = np.where(later, random.permutation(log.item), log.item)
    other = replace(log, item=items.astype(log.item.dtype))
    now, then = (shown_at_once(stages, events, first) for events in (log, other))
    np.testing.assert_allclose(now.features, then.features, atol=2e-3)


def test_the_ranker_is_told_that_and_where_an_item_was_shown(stages, shown):
    log = stages.encoded.dataset.events
    told = shown_at_once(stages, log, shown)
    real = told.row >= 0
    np.testing.assert_array_equal(told.features[..., SHOWN] == 1, real)
    down = np.log1p(shown.place[: len(real)][real])
    np.testing.assert_allclose(told.features[..., -1][real], down, atol=2e-3)
    untold = shown_at_once(stages, log, shown.untold())
    before = told.features[..., :SHOWN]
    np.testing.assert_array_equal(untold.features[..., :SHOWN], before)
    assert not untold.features[..., SHOWN:].any()
    without = shown_at_once(stages, log, shown, impressions=None)
    np.testing.assert_array_equal(without.features, before)


def test_other_impressions_make_another_ranker(stages, tmp_path):
    source = stages.config.ranking.impressions.source
    copy = tmp_path / "impressions.parquet"
    copy.write_bytes(Path(source).read_bytes())
    before = with_impressions(stages, copy).ranking_folder
    assert with_impressions(stages, copy).ranking_folder == before
    pq.write_table(pq.read_table(source).slice(0, 5), copy)
    assert with_impressions(stages, copy).ranking_folder != before


def with_impressions(stages, source):
    ranking = stages.config.ranking
    named = ranking.impressions.model_copy(update={"source": str(source)})
    changed = ranking.model_copy(update={"impressions": named})
    config = stages.config.model_copy(update={"ranking": changed})
    return Stages(config, stages.console)


def test_a_ranker_of_other_towers_is_refused(stages):
    with pytest.raises(ArtifactError, match=r"was trained on towers .* train again"):
        load_ranking(stages.ranking_folder, stages.encoded, "0" * 12)


def test_a_span_without_labels_is_refused(stages, towers):
    ranking = stages.config.ranking.model_copy(update={"horizon_days": 1e-9})
    with pytest.raises(DataError, match="nothing that the sources propose"):
        ranking_examples(stages.encoded, towers, ranking)
