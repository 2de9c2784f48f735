"""A search is refused before anything is trained, in one sentence."""

import math

import pytest

from tests.little_shop import BARE_CONFIG
from tfrs_app.contract.config import ShopConfig
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.loading import load_config
from tfrs_app.contract.retrieval_config import FactorsConfig, RetrievalConfig
from tfrs_app.contract.search_space import value_at, with_values


@pytest.fixture
def load(tmp_path):
    def load_with(tune: str, *overrides: str) -> ShopConfig:
        path = tmp_path / "shop.yaml"
        path.write_text(f"{BARE_CONFIG}tune: {tune}\n", encoding="utf-8")
        return load_config(path, overrides)

    return load_with


@pytest.mark.parametrize(
    ("tune", "message"),
    [
        ("{}", "tune.space: this key is required"),
        ("{space: {}}", "tune.space: .*at least 1 item"),
        ("{space: [retrieval.epochs]}", "tune.space: .*valid dictionary"),
        ("{trials: 0, space: {retrieval.epochs: [1, 2]}}", "tune.trials: .*received 0"),
        ("{trails: 9, space: {retrieval.epochs: [1, 2]}}", "did you mean 'trials'"),
    ],
)
def test_what_is_no_search_is_refused(load, tune, message):
    with pytest.raises(ConfigError, match=message):
        load(tune)


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ("learning_rat", "[1, 2]", "unknown key; did you mean retrieval.learning_rate"),
        ("factors.dm", "[1, 2]", "unknown key; did you mean retrieval.factors.dim"),
        ("epochs.first", "[1, 2]", "retrieval.epochs.first is an unknown key"),
        ("seed", "[1, 2]", "retrieval.seed cannot be searched: the luckiest.*drop it"),
        ("catch_up_epochs", "[0, 1]", "come after validation, which cannot judge them"),
        ("validation_k", "[10, 20]", "figures of different questions"),
        ("validation_target", "[all, first_purchase]", "figures of different quest"),
        ("epochs", "3", "one value leaves nothing to search.*received 3"),
        ("epochs", "[3]", "epochs.choices: .*at least 2 items"),
        ("epochs", "{lw: 1, high: 2}", "epochs.lw: unknown key; did you mean 'low'"),
        ("epochs", "{low: 1}", "low is 1.0 and high is None; a range needs both"),
        ("epochs", "{low: 2, high: 2}", "low 2 is not below high 2; exchange them"),
        ("epochs", "{low: 1, high: .inf}", "epochs.high: .*finite number"),
        ("epochs", "{low: 1, high: 2.5}", "holds an integer, which 2.5 is not; round"),
        ("epochs", "{low: 0, high: 2}", "epochs cannot be 0: .*greater than or equal"),
        ("epochs", "[2, 0]", "epochs cannot be 0: .*change the values of this key"),
        ("epochs", "{choices: [1, 2], low: 1}", "give either choices or a range"),
        ("epochs", "{choices: [1, 2], log: true}", "give either choices or a range"),
        ("id_dropout", "{low: 0, high: 1, log: true}", "low is 0, which has no logar"),
        (
            "id_dropout",
            "{low: 0.5, high: 1.5}",
            "id_dropout cannot be 1.5: .*less than",
        ),
        (
            "log_q",
            "[counts, guess]",
            "log_q cannot be 'guess': .*'counts', 'streaming'",
        ),
        ("log_q", "{low: 1, high: 2}", "holds no number, so 1 to 2 is no range of it"),
        ("query_layers", "{low: 1, high: 2}", "holds no number"),
        ("query_layers", "[[8], [0]]", r"query_layers cannot be \[0\]: .*greater than"),
        ("history_content", "{low: 0, high: 1}", "holds no number"),
        ("factors", "[null, {dm: 3}]", r"factors cannot be {'dm': 3}"),
    ],
)
def test_an_impossible_key_or_value_is_refused_before_the_first_trial(
    load, key, values, message
):
    with pytest.raises(ConfigError, match=message) as caught:
        load(f"{{space: {{retrieval.{key}: {values}}}}}")
    assert len(str(caught.value).splitlines()) == 1
    assert f"retrieval.{key}" in str(caught.value)


@pytest.mark.parametrize("key", ["evaluation.k", "data.shards", "retrieval", "shop"])
def test_only_retrieval_can_be_searched(load, key):
    message = f"tune.space: {key} cannot be searched, only keys below retrieval"
    with pytest.raises(ConfigError, match=message):
        load(f"{{space: {{{key}: [1, 2]}}}}")


def test_a_key_and_what_holds_it_are_not_searched_together(load):
    space = "{retrieval.factors: [null, {}], retrieval.factors.dim: [3, 4]}"
    with pytest.raises(ConfigError, match=r"factors.dim lies inside retrieval.factors"):
        load(f"{{space: {space}}}")


def test_a_value_that_fits_no_other_is_refused(load):
    warm = "retrieval.learn_temperature: [true, false]"
    with pytest.raises(ConfigError, match=r"cannot be True: .*set similarity: cosine"):
        load(f"{{space: {{{warm}}}}}")
    # It fits the configured similarity, or one that is searched too.
    load(f"{{space: {{{warm}}}}}", "retrieval.similarity=cosine")
    load(f"{{space: {{{warm}, retrieval.similarity: [dot, cosine]}}}}")


def test_three_keys_may_need_each_other(load):
    config = load(
        "{space: {retrieval.history_encoder: [mean, transformer], "
        "retrieval.embedding_dim: [33, 34], retrieval.history_heads: [11, 7]}}",
        "retrieval.embedding_dim=10",
        "retrieval.history_heads=4",
    )
    assert config.tune is not None
    assert config.tune.trials == 30


def test_a_list_is_short_for_choices_and_an_exponent_is_a_number(load):
    config = load(
        "{space: {retrieval.epochs: [1, 2], "
        "retrieval.learning_rate: {low: 1e-4, high: 1e-2, log: true}}}"
    )
    assert config.tune is not None
    epochs, rate = config.tune.space.values()
    assert epochs.choices == (1, 2)
    assert (rate.low, rate.high, rate.log) == (0.0001, 0.01, True)


def test_values_replace_the_configs_own():
    base = RetrievalConfig(epochs=7)
    config = with_values(
        base,
        {
            "retrieval.learning_rate": 0.5,
            "retrieval.query_layers": [8, 4],
            "retrieval.factors.dim": 5,
            "retrieval.history_half_lives_days": [7, math.inf],
        },
    )
    assert (config.epochs, config.learning_rate) == (7, 0.5)
    assert config.query_layers == (8, 4)
    assert config.factors == FactorsConfig(dim=5)
    assert config.history_half_lives_days == (7, math.inf)
    assert base == RetrievalConfig(epochs=7)


def test_a_nested_value_keeps_its_neighbours():
    base = RetrievalConfig(factors=FactorsConfig(dim=3, regularization=9.0))
    config = with_values(base, {"retrieval.factors.dim": 5})
    assert config.factors == FactorsConfig(dim=5, regularization=9.0)
    assert value_at(config, "retrieval.factors.dim") == 5
    assert value_at(RetrievalConfig(), "retrieval.factors.dim") is None
