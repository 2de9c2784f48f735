import math

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfrs_app.contract.retrieval_config import FactorsConfig, RetrievalConfig
from tfrs_app.contract.tune_config import Dimension
from tfrs_app.tuning.proposals import distributions_of, params_of, values_of

RATE = "retrieval.learning_rate"
EPOCHS = "retrieval.epochs"
LAYERS = "retrieval.query_layers"


def choices(*values):
    return Dimension(choices=values)


def span(low, high, log=False):
    return Dimension(low=low, high=high, log=log)


def drawn(space, trials=200, seed=1):
    """What a study of random draws proposes, as values of the config."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed))
    for _ in range(trials):
        yield values_of(study.ask(distributions_of(space)).params, space)


def test_every_draw_lies_in_the_space_and_all_of_it_is_drawn():
    layers = [[], [8], [8, 4]]
    space = {
        RATE: span(0.0001, 1, log=True),
        EPOCHS: span(1, 4),
        LAYERS: choices(*layers),
    }
    values = list(drawn(space))
    assert {value[EPOCHS] for value in values} == {1, 2, 3, 4}
    assert all(type(value[EPOCHS]) is int for value in values)
    assert [value for value in layers if value not in [v[LAYERS] for v in values]] == []
    rates = [value[RATE] for value in values]
    assert all(0.0001 <= rate <= 1 for rate in rates)
    # Evenly by the logarithm: as many below the geometric mean as above it.
    assert 70 < sum(rate < 0.01 for rate in rates) < 130


def test_a_plain_range_is_drawn_evenly():
    rates = [value[RATE] for value in drawn({RATE: span(0.0001, 1)})]
    assert 70 < sum(rate < 0.5 for rate in rates) < 130


@pytest.mark.parametrize(("log", "fewest", "most"), [(True, 70, 130), (False, 0, 50)])
def test_integers_are_drawn_evenly_too(log, fewest, most):
    epochs = [value[EPOCHS] for value in drawn({EPOCHS: span(1, 64, log)})]
    assert fewest <= sum(value < 8 for value in epochs) <= most


def test_a_range_of_whole_ends_of_a_fraction_draws_fractions():
    values = {value[RATE] for value in drawn({RATE: span(1, 3)})}
    assert len(values) > 100


@settings(deadline=None)
@given(st.floats(1e-9, 1e9), st.floats(1.001, 1000), st.floats(0, 1))
def test_numbers_have_four_digits_and_stay_inside(low, factor, share):
    high = low * factor
    param = min(low + share * (high - low), high)
    value = values_of({RATE: param}, {RATE: span(low, high)})[RATE]
    assert low <= value <= high
    assert value == pytest.approx(param, rel=0.0006)
    digits = f"{value:e}".partition("e")[0].replace(".", "")
    assert value in (low, high) or len(digits.rstrip("0")) <= 4


@pytest.mark.parametrize(
    ("config", "space", "params"),
    [
        ({"epochs": 3}, {EPOCHS: span(1, 4)}, {EPOCHS: 3}),
        ({"epochs": 5}, {EPOCHS: span(1, 4)}, None),
        ({"epochs": 5}, {EPOCHS: choices(1, 5)}, {EPOCHS: "5"}),
        ({"epochs": 5}, {EPOCHS: choices(1, 4)}, None),
        ({"query_layers": (8, 4)}, {LAYERS: choices([], [8, 4])}, {LAYERS: "[8, 4]"}),
        # Only one of the two keys has its own value in the space.
        ({"epochs": 3}, {EPOCHS: span(1, 4), RATE: span(1, 4)}, None),
        # A text that YAML took for one is the number of the config.
        ({"learning_rate": 1e-3}, {RATE: choices("1e-3", "1e-4")}, {RATE: '"1e-3"'}),
        ({"factors": None}, {"retrieval.factors.dim": span(1, 4)}, None),
        (
            {"factors": FactorsConfig(dim=3)},
            {"retrieval.factors.dim": span(1, 4)},
            {"retrieval.factors.dim": 3},
        ),
        (
            {"factors": None},
            {"retrieval.factors": choices({}, None)},
            {"retrieval.factors": "null"},
        ),
    ],
)
def test_the_configs_own_values_are_found_in_the_space(config, space, params):
    assert params_of(RetrievalConfig(**config), space) == params


def test_an_infinite_half_life_is_a_choice_like_any_other():
    key = "retrieval.history_half_lives_days"
    space = {key: choices([7], [7, math.inf])}
    config = RetrievalConfig(history_half_lives_days=(7, math.inf))
    params = params_of(config, space)
    assert params is not None
    assert values_of(params, space) == {key: [7, math.inf]}
