import re
from pathlib import Path

import pytest

from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.loading import load_config

CONFIGS = Path(__file__).parents[3] / "configs"
TEXT = """\
shop: corner
data:
  events:
    source: events.csv
    columns: {event_type: kind}
  items:
    source: items.csv
  users:
    source: users.csv
  split:
    validation_start: 2024-02-01
    test_start: 2024-03-01
event_weights: {purchase: 1.0, view: 0.5}
features:
  - {name: colour, role: candidate, kind: categorical}
  - {name: age, role: query, kind: numeric}
retrieval:
  epochs: 3
"""


@pytest.fixture
def load(tmp_path):
    """Loads the text above after some replacements."""

    def loaded(*overrides, **replacements):
        text = TEXT
        for old, new in replacements.get("replace", ()):
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / "corner.yaml"
        path.write_text(text, encoding="utf-8")
        return load_config(path, overrides)

    return loaded


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yaml")), ids=lambda p: p.stem)
def test_the_shipped_configs_load(path):
    assert load_config(path).shop == path.stem


def test_the_fine_tuned_shop_differs_by_its_name_and_text_alone():
    frozen = load_config(CONFIGS / "online_retail.yaml")
    tuned = load_config(CONFIGS / "online_retail_fine_tuned.yaml")
    assert tuned.text.mode == "top_layers"
    alike = {"shop": frozen.shop, "text": frozen.text}
    assert tuned.model_copy(update=alike) == frozen


def test_neighbours_by_text_need_texts(load):
    with pytest.raises(
        ConfigError, match=r"text_neighbours is 5 but.*add `text: \{\}`"
    ):
        load("retrieval.text_neighbours=5")
    assert load("retrieval.text_neighbours=5", "text={}").text is not None


def test_complements_differ_in_a_category(load):
    with pytest.raises(
        ConfigError, match=r"complements_differ_in is 'price'.*use one of"
    ):
        load("export.complements_differ_in=price")


def test_a_config_loads_with_defaults(load):
    config = load()
    assert config.retrieval.epochs == 3
    assert config.data.max_rejected == 0.01
    assert config.data.events[0].timezone == "UTC"
    assert config.root == Path("artifacts/corner")
    assert config.spec.event_types == ("purchase", "view")
    assert config.data.split.test_end is None
    assert config.data.split.test_start.isoformat() == "2024-03-01T00:00:00+00:00"


def test_a_moment_keeps_the_zone_it_has(load):
    config = load("data.split.test_start='2024-03-01T00:00:00+02:00'")
    assert config.data.split.test_start.timestamp() == 1709244000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("shop:", "shpo:", "shpo: unknown key; did you mean 'shop'?"),
        ("epochs: 3", "epoch: 3", "retrieval.epoch: unknown key; did you mean 'epo"),
        ("source: items", "sorce: items", "data.items.sorce: unknown key; did you me"),
        ("source: users", "tz: users", "data.users.tz: unknown key; known keys: ['co"),
        ("kind: cat", "kimd: cat", "features.0.kimd: unknown key; did you mean 'kind"),
        ("test_start", "teststart", "data.split.teststart: unknown key; did you mean"),
        ("shop: corner\n", "", "shop: this key is required; add it"),
        ("epochs: 3", "epochs: 0", "retrieval.epochs: Input should be greater than"),
        ("epochs: 3", "epochs: '3'", "retrieval.epochs: Input should be a valid inte"),
        ("epochs: 3", "epochs: 2.5", "received 2.5"),
        ("epochs: 3", "epochs: true", "retrieval.epochs: Input should be a valid int"),
        ("epochs: 3", "batch_size: 1", "greater than or equal to 2; received 1"),
        ("epochs: 3", "temperature: 0", "greater than 0; received 0"),
        ("epochs: 3", "temperature: .nan", "retrieval.temperature"),
        ("epochs: 3", "id_dropout: 1.5", "less than or equal to 1; received 1.5"),
        ("epochs: 3", "query_layers: [0]", "retrieval.query_layers.0: Input should"),
        ("epochs: 3", "uniform_negatives: -1", "retrieval.uniform_negatives"),
        ("epochs: 3", "seed: -1", "retrieval.seed"),
        ("corner", "My shop", "shop: String should match pattern"),
        ("2024-02-01", "2024-03-01", "validation_start < test_start < test_end"),
        ("2024-02-01", "soon", "data.split.validation_start: Invalid isoformat"),
        ("2024-02-01", "5", "data.split.validation_start: Input should be a valid d"),
        ("source: events.csv", "source: 5", "data.events.source: Input should be a v"),
        ("view: 0.5", "view: 0", "event_weights.view: Input should be greater than 0"),
        ("name: age", "name: colour", "must be unique, received twice: ['colour']"),
        ("name: age", "name: item_id", "feature name 'item_id' is taken"),
        ("kind: numeric", "kind: text", "role query with kind text cannot be declared"),
    ],
)
def test_a_mistake_is_told_with_file_key_and_remedy(load, old, new, message):
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        load(replace=[(old, new)])
    assert "corner.yaml: " in str(caught.value)


def test_the_end_of_the_test_comes_last(load):
    with pytest.raises(ConfigError, match=r"test_start < test_end, received 2024-02"):
        load("data.split.test_end=2024-03-01")


@pytest.mark.parametrize("zone", ["Europe/Atlantis", "Europe", "''", "5", "[a]"])
def test_an_unknown_time_zone_is_refused(load, zone):
    with pytest.raises(ConfigError, match="not a time zone; write for example Europe"):
        load(f"data.events.timezone={zone}")


@pytest.mark.parametrize("where", ["quantity", "a > b", "quantity >", "f(a) > 1"])
def test_a_bad_where_is_refused_on_loading(load, where):
    with pytest.raises(ConfigError, match=r"data\.events\.where: where: "):
        load(f"data.events.where={where}")


@pytest.mark.parametrize("where", ["5", "true", "[a > 1]", "{a: 1}"])
def test_a_where_that_is_no_text_is_refused(load, where):
    with pytest.raises(ConfigError, match=r"data\.events\.where: "):
        load(f"data.events.where={where}")


def test_a_day_that_no_calendar_has_is_refused(load):
    with pytest.raises(ConfigError, match=r"corner\.yaml"):
        load(replace=[("2024-02-01", "2024-02-30")])


def test_an_override_with_a_day_that_no_calendar_has_is_refused(load):
    with pytest.raises(ConfigError, match=r"data\.split\.test_start"):
        load("data.split.test_start=2024-02-30")


def test_a_query_feature_needs_the_users_table(load):
    with pytest.raises(ConfigError, match=r"\['age'\] have role query but data.users"):
        load(replace=[("  users:\n    source: users.csv\n", "")])


def test_the_constant_event_type_needs_a_weight(load):
    with pytest.raises(ConfigError, match=r"event type 'purchase' has no weight; add"):
        load(replace=[("    columns: {event_type: kind}\n", ""), ("purchase:", "buy:")])


def test_several_mistakes_are_told_at_once(load):
    with pytest.raises(ConfigError) as caught:
        load("retrieval.epochs=0", "retrieval.patience=0", "shap=1")
    assert str(caught.value).count("corner.yaml: ") == 3


def test_a_key_that_stands_twice_is_refused(load):
    with pytest.raises(ConfigError, match=r"key 'epochs' stands twice"):
        load(replace=[("epochs: 3", "epochs: 3\n  epochs: 4")])


@pytest.mark.parametrize(
    "text", ["shop: [", "a: b: c", "\tshop: x", "shop: !!python/x"]
)
def test_invalid_yaml_is_refused(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"bad\.yaml: is not valid YAML"):
        load_config(path)


@pytest.mark.parametrize("text", ["", "just words", "- a\n- b"])
def test_a_file_without_keys_is_refused(tmp_path, text):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match="must hold keys and values"):
        load_config(path)


def test_yaml_cannot_run_code(tmp_path):
    path, proof = tmp_path / "bad.yaml", tmp_path / "proof"
    path.write_text(f"shop: !!python/object/apply:os.mkdir ['{proof}']")
    with pytest.raises(ConfigError, match="not valid YAML"):
        load_config(path)
    assert not proof.exists()


def test_a_missing_file_is_told_with_a_remedy(tmp_path):
    with pytest.raises(
        ConfigError, match=r"no such file; pass -c configs/<shop>\.yaml"
    ):
        load_config(tmp_path / "none.yaml")


def test_a_folder_and_a_binary_file_are_no_config(tmp_path):
    (tmp_path / "x.yaml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "x.yaml"):
        with pytest.raises(ConfigError, match="cannot be read as UTF-8 text"):
            load_config(path)


def test_overrides_replace_add_and_are_read_as_yaml(load):
    config = load(
        "retrieval.epochs=7",
        "export.index=exact",
        "evaluation.ks=[5, 10]",
        "event_weights.cart=0.7",
        "retrieval.epochs=8",
        "data.items.where=a == 'x=y'",
    )
    assert config.retrieval.epochs == 8  # the last one counts
    assert config.export.index == "exact"
    assert config.evaluation.ks == (5, 10)
    assert config.event_weights == {"purchase": 1.0, "view": 0.5, "cart": 0.7}
    assert config.data.items.where == "a == 'x=y'"


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("retrieval.epochs", "expected KEY=VALUE, e.g. retrieval.epochs=2"),
        ("=3", "expected KEY=VALUE"),
        ("", "expected KEY=VALUE"),
        ("shop=[", "value of shop is not YAML"),
        ("shop.name=x", "'shop' holds no keys"),
        ("features.9.dim=3", "'9' is no place in a list of 2; count from 0"),
        ("retrieval.epochz=3", "retrieval.epochz: unknown key; did you mean 'epochs'?"),
        ("retrieval..epochs=3", "retrieval.: unknown key"),
        ("new.key=3", "new: unknown key"),
        ("retrieval.epochs=many", "received 'many'"),
        ("retrieval=3", "retrieval: Input should be"),
        ("evaluation.baselines=[popular, knn]", "evaluation.baselines"),
        ("evaluation.baselines=[]", "evaluation.baselines"),
        (
            "evaluation.baselines=[ease, item_knn, blend]",
            "blend needs ['recently_popular', 'personal_frequency']",
        ),
        ("evaluation.resamples=99", "evaluation.resamples"),
    ],
)
def test_a_bad_override_is_refused(load, override, message):
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(override)


def test_the_config_is_frozen(load):
    with pytest.raises(ValueError, match="frozen"):
        load().retrieval.epochs = 3
