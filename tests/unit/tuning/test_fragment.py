import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.little_shop import BARE_CONFIG
from tfrs_app.contract.loading import load_config
from tfrs_app.contract.retrieval_config import FactorsConfig, RetrievalConfig
from tfrs_app.tuning.fragment import overrides, write, yaml_of


@pytest.fixture
def shop(tmp_path):
    path = tmp_path / "shop.yaml"
    path.write_text(BARE_CONFIG, encoding="utf-8")
    return path


CONFIG = RetrievalConfig(
    learning_rate=1e-05,
    query_layers=(64, 32),
    history_half_lives_days=(7.0, math.inf),
    log_q="none",
    hard_negatives=None,
    learn_temperature=False,
    factors=FactorsConfig(dim=7),
)
KEYS = [
    "retrieval.learning_rate",
    "retrieval.query_layers",
    "retrieval.history_half_lives_days",
    "retrieval.log_q",
    "retrieval.hard_negatives",
    "retrieval.factors.dim",
]


def test_a_fragment_holds_the_searched_keys_only():
    assert yaml_of(CONFIG, ["retrieval.log_q", "retrieval.factors.dim"]) == (
        "retrieval:\n  log_q: none\n  factors:\n    dim: 7\n"
    )


def test_a_fragment_pasted_into_a_config_gives_the_values(shop):
    with shop.open("a", encoding="utf-8") as file:
        file.write(yaml_of(CONFIG, KEYS))
    assert load_config(shop).retrieval == CONFIG


def test_overrides_give_the_values(shop):
    texts = overrides(CONFIG, KEYS)
    assert texts[0] == "retrieval.learning_rate=1.0e-05"
    assert texts[1] == "retrieval.query_layers=[64, 32]"
    assert load_config(shop, texts).retrieval == CONFIG


@settings(deadline=None)
@given(st.floats(1e-12, 1e12))
def test_a_number_survives_being_written(rate):
    config = RetrievalConfig(learning_rate=rate)
    text = yaml_of(config, ["retrieval.learning_rate"])
    assert yaml.safe_load(text) == {"retrieval": {"learning_rate": rate}}
    (override,) = overrides(config, ["retrieval.learning_rate"])
    assert yaml.safe_load(override.partition("=")[2]) == rate


def test_the_file_tells_its_origin_in_a_comment(tmp_path):
    path = tmp_path / "study" / "best.yaml"
    content = yaml_of(CONFIG, ["retrieval.log_q"])
    write(path, content, "Trial 3 of 9")
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Trial 3 of 9\n")
    assert yaml.safe_load(text) == {"retrieval": {"log_q": "none"}}
