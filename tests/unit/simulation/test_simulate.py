from pathlib import Path

import pytest
import yaml

from tests.simulated_shop import SIZE
from tfrs_app.contract.errors import ConfigError, DataError
from tfrs_app.contract.loading import load_config
from tfrs_app.simulation.options import ShopSize
from tfrs_app.simulation.simulate import simulate
from tfrs_app.simulation.truth import read_truth

ROOT = Path(__file__).parents[3]
FILES = {
    "events.parquet", "items.parquet", "users.parquet", "impressions.parquet",
    "truth.npz", "simulated.yaml",
}  # fmt: skip
SMALL = ShopSize(users=40, items=50, days=30, seed=1)


def content(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


def test_the_same_seed_gives_the_same_bytes_another_seed_others(tmp_path):
    found = []
    for seed in (1, 1, 2):
        folder = tmp_path / "shop"
        simulate(ShopSize(users=40, items=50, days=30, seed=seed), folder)
        found.append(content(folder))
    assert set(found[0]) == FILES
    assert found[0] == found[1]
    for name in FILES - {"simulated.yaml"}:
        assert found[0][name] != found[2][name]


def test_the_shipped_config_is_the_one_that_simulate_writes(tmp_path):
    shipped = (ROOT / "configs" / "simulated.yaml").read_text(encoding="utf-8")
    from tfrs_app.simulation.shop_config import config_text

    assert shipped == config_text(ShopSize(), Path("artifacts/simulated/tables"))
    config = load_config(ROOT / "configs" / "simulated.yaml", [])
    assert config.event_weights == {"view": 0.1, "cart": 0.5, "purchase": 1.0}
    assert {f.name for f in config.features} >= {"price", "category", "description"}


def test_the_written_config_names_tables_and_a_split_inside_the_span(tmp_path):
    folder = tmp_path / "it's {a} shop: #1"
    made = simulate(SMALL, folder)
    config = load_config(made.config, [])
    assert config.data.events[0].source == str(folder / "events.parquet")
    written = yaml.safe_load(made.config.read_text())["data"]["split"]
    # 30 days from the first of January; the last 2 x 2 are validation and test.
    assert str(written["validation_start"]) == "2024-01-27"
    assert str(written["test_start"]) == "2024-01-29"
    assert made.rows["items"] == 50
    assert config.export.index == "exact"


@pytest.mark.parametrize(
    ("name", "value"),
    [("users", 19), ("items", 39), ("items", 10**6), ("days", 27), ("seed", -1)],
)
def test_impossible_sizes_are_refused(name, value):
    with pytest.raises(ConfigError, match=rf"--{name}: must lie between .* {value};"):
        ShopSize(**{name: value})


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    path = tmp_path / "taken"
    path.write_text("mine")
    with pytest.raises(DataError, match=r"taken: can't be written .*name a folder"):
        simulate(SMALL, path)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("damage", ["absent", "empty", "text", "partial"])
def test_a_truth_that_is_none_is_refused(tmp_path, toy, damage):
    path = tmp_path / "truth.npz"
    whole = (toy.folder / "truth.npz").read_bytes()
    if damage != "absent":
        path.write_bytes({"empty": b"", "text": b"x", "partial": whole[:999]}[damage])
    with pytest.raises(DataError, match="is not the truth of a simulated shop"):
        read_truth(path)


def test_the_truth_comes_back(toy):
    world = read_truth(toy.folder / "truth.npz")
    assert world.days == SIZE.days
    assert world.behaviour.positions == 12
    assert world.items.available.dtype == bool
    assert (world.items.trait == toy.truth["items.trait"]).all()
