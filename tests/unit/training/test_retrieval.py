import shutil

import numpy as np
import pytest

from tests.little_shop import DAY, T0
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import ArtifactError, DataError
from tfrs_app.training.retrieval import examples_of, train_retrieval
from tfrs_app.training.runs import load_retrieval, run_config, run_identity

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def config(little_config):
    return little_config.retrieval.model_copy(
        update={
            "epochs": 3,
            "patience": 3,
            "batch_size": 2,
            "uniform_negatives": 2,
            "id_dropout": 0.3,
            "learning_rate": 0.05,
        }
    )


def train(encoded, config, folder):
    lines = []
    manifest = train_retrieval(encoded, config, folder, lines.append)
    return manifest, lines


@pytest.fixture(scope="module")
def whole(little_encoded, config, tmp_path_factory):
    """Folder, manifest and told lines of a run; nobody may write into it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    return folder, *train(little_encoded, config, folder)


@pytest.fixture
def copied(whole, tmp_path):
    return shutil.copytree(whole[0], tmp_path / "run")


def epochs_in(lines):
    """The numbers of the epochs that were measured."""
    return [line[:8] for line in lines if "validation ndcg" in line]


def weights_of(folder, encoded):
    model = load_retrieval(folder, encoded)
    towers = (model.query_tower, model.candidate_tower)
    return {
        f"{tower.name}/{n}": v.numpy()
        for tower in towers
        for n, v in enumerate(tower.trainable_variables)
    }


def same(left, right, atol):
    assert left.keys() == right.keys()
    for name, value in left.items():
        np.testing.assert_allclose(value, right[name], atol=atol, err_msg=name)


def test_examples_are_the_training_spans_events_weighted_by_type_and_age(
    little_encoded, config
):
    dataset = little_encoded.dataset
    log = dataset.events
    config = config.model_copy(update={"example_half_life_days": 3.0})
    examples = examples_of(log, config, None, dataset.split.validation_start)
    for position, weight in zip(examples.positions, examples.weight, strict=True):
        days = (log.timestamp[position] - T0) / DAY
        assert days < 9
        kind = {0: 0.25, 1: 1.0}[int(log.event_type[position])]
        assert weight == pytest.approx(kind * 0.5 ** ((9 - days) / 3))
    assert len(examples.positions) == 6


def test_without_a_half_life_the_type_alone_weighs(little_encoded, config):
    dataset = little_encoded.dataset
    end = dataset.split.validation_start
    examples = examples_of(dataset.events, config, None, end)
    assert sorted(examples.weight) == [0.25, 1, 1, 1, 1, 1]


def test_fewer_events_than_a_batch_are_refused(little_encoded, config, tmp_path):
    config = config.model_copy(update={"batch_size": 7})
    with pytest.raises(DataError, match=r"batch_size: 7 is more than the 6.*lower it"):
        train(little_encoded, config, tmp_path / "run")


def test_a_run_is_sealed_and_comes_back(little_encoded, config, whole):
    folder, manifest, lines = whole
    assert verify(folder) == manifest
    assert manifest.kind == "retrieval"
    assert manifest.parent == little_encoded.dataset.manifest.id
    assert manifest.counts["epochs"] == 3
    assert 1 <= manifest.counts["best_epoch"] <= 3
    assert epochs_in(lines) == ["epoch 1:", "epoch 2:", "epoch 3:"]
    assert not (folder / "checkpoints").exists()
    assert run_config(folder) == config
    assert load_retrieval(folder, little_encoded).catalogue_size == 5


@pytest.mark.slow
def test_a_resumed_training_ends_where_an_unbroken_one_does(
    little_encoded, config, whole, tmp_path
):
    folder, manifest, _ = whole
    broken = tmp_path / "broken"

    class KilledError(BaseException):
        pass

    def die_after_the_first_epoch(line):
        if line.startswith("epoch 1:"):
            raise KilledError

    with pytest.raises(KilledError):
        train_retrieval(little_encoded, config, broken, die_after_the_first_epoch)
    with pytest.raises(ArtifactError, match="absent or unfinished"):
        load_retrieval(broken, little_encoded)
    resumed, lines = train(little_encoded, config, broken)
    assert lines[0] == "resuming after epoch 1"
    assert epochs_in(lines) == ["epoch 2:", "epoch 3:"]
    assert resumed.counts == manifest.counts
    same(weights_of(folder, little_encoded), weights_of(broken, little_encoded), 1e-5)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights(little_encoded, config, tmp_path):
    found = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        settings = config.model_copy(update={"seed": seed, "epochs": 1})
        train(little_encoded, settings, tmp_path / name)
        found.append(weights_of(tmp_path / name, little_encoded))
    same(found[0], found[1], 1e-6)
    with pytest.raises(AssertionError):
        same(found[0], found[2], 1e-3)


def test_a_run_of_another_dataset_is_refused(little_encoded, copied):
    path = copied / "manifest.json"
    parent = little_encoded.dataset.manifest.id
    path.write_text(path.read_text().replace(parent, "another"))
    with pytest.raises(ArtifactError, match="was trained on dataset another"):
        load_retrieval(copied, little_encoded)


def test_damaged_weights_are_refused(little_encoded, copied):
    data = next((copied / "weights").glob("*.data*"))
    data.write_bytes(data.read_bytes()[:-1] + b"?")
    with pytest.raises(ArtifactError, match="changed since it was written"):
        load_retrieval(copied, little_encoded)


def test_a_kill_while_checkpoints_are_removed_leaves_a_finished_run(
    little_encoded, config, tmp_path, monkeypatch
):
    """The run is sealed first, so half-removed checkpoints are no part of it."""

    class KilledError(BaseException):
        pass

    def die(folder):
        next(folder.glob("ckpt-*")).unlink()
        raise KilledError

    monkeypatch.setattr("tfrs_app.training.runs.shutil.rmtree", die)
    with pytest.raises(KilledError):
        train(little_encoded, config, tmp_path / "run")
    assert verify(tmp_path / "run").counts["epochs"] == 3


def test_the_identity_depends_on_dataset_and_settings(config):
    other = config.model_copy(update={"seed": 43})
    assert run_identity("a", config) == run_identity("a", config)
    assert run_identity("a", config) != run_identity("b", config)
    assert run_identity("a", config) != run_identity("a", other)


def test_catching_up_learns_from_the_validation_span(
    little_encoded, config, whole, tmp_path
):
    up = config.model_copy(update={"catch_up_epochs": 1})
    _, lines = train(little_encoded, up, tmp_path / "up")
    plain, manifest, _ = whole
    assert [line[:9] for line in lines if line.startswith("caught up")] == ["caught up"]
    assert manifest.counts["epochs"] == 3
    before = weights_of(plain, little_encoded)
    after = weights_of(tmp_path / "up", little_encoded)
    assert any(not np.allclose(before[name], after[name]) for name in before)


def test_catching_up_needs_a_batch_of_validation_events(
    little_encoded, config, tmp_path
):
    dataset = little_encoded.dataset
    log, split = dataset.events, dataset.split
    validation = int(log.span(split.validation_start, split.test_start).sum())
    training = int(log.span(None, split.validation_start).sum())
    assert validation < training
    greedy = {"catch_up_epochs": 1, "batch_size": training}
    with pytest.raises(DataError, match=rf"more than the {validation} events"):
        train(little_encoded, config.model_copy(update=greedy), tmp_path / "run")
