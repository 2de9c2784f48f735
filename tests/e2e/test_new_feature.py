"""The acid test of the feature spec: a new numeric item feature is one line of YAML."""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from rich.console import Console

from tests.toy_shop import overrides, write_toy_shop
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config
from tfrs_app.training.runs import load_retrieval

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LINE = {"name": "price_in_euro", "role": "candidate", "kind": "numeric"}


def test_one_line_reaches_the_saved_model(tmp_path):
    write_toy_shop(tmp_path / "tables")
    items = pq.read_table(tmp_path / "tables/items.parquet")
    items = items.append_column("price_in_euro", items["price"])
    pq.write_table(items, tmp_path / "tables/items.parquet")
    with open("configs/smoke.yaml", encoding="utf-8") as file:
        shop = yaml.safe_load(file)
    shop["artifacts"] = str(tmp_path / "artifacts")
    shop["retrieval"]["epochs"] = 1
    shop["evaluation"]["baselines"] = ["popular"]
    shop["features"].append(LINE)  # the one line
    (tmp_path / "shop.yaml").write_text(yaml.safe_dump(shop), encoding="utf-8")

    stages = Stages(
        load_config(tmp_path / "shop.yaml", overrides(tmp_path / "tables")),
        Console(quiet=True),
    )
    folder = stages.run()

    prices = stages.encoded.catalogue["price_in_euro"]
    assert sorted(set(prices.tolist())) == [float(n) for n in range(1, 21)]
    assert stages.encoded.dataset.numeric["price_in_euro"].mean == pytest.approx(10.5)
    model = load_retrieval(stages.run_folder, stages.encoded)
    dearer = dataclasses.replace(
        stages.encoded, catalogue={**stages.encoded.catalogue, LINE["name"]: prices + 9}
    )
    other = load_retrieval(stages.run_folder, dearer)
    item, moment = np.array([0], np.int32), 1_709_900_000
    left, right = (m.embed_items(item, moment) for m in (model, other))
    assert not np.allclose(left, right, atol=1e-4)
    assert (folder / "saved_model.pb").exists()
