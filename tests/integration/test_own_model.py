"""The page on own models: its code runs and learns what the toy shop's users like."""

import re
from pathlib import Path

import pytest
import tensorflow as tf

from tests.conftest import SMOKE
from tests.toy_shop import parity_of
from tfrs_app.contract.loading import load_config
from tfrs_app.data.dataset import Dataset

PAGE = Path(__file__).parents[2] / "docs" / "own_model.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
FOLDER = "artifacts/my_shop/datasets/<id>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, toy_overrides):
    from beam.prepare import prepare

    root = tmp_path_factory.mktemp("own_model")
    overrides = ["data.row_history_length=50", f"artifacts={root}", *toy_overrides]
    return prepare(load_config(SMOKE, overrides))


@pytest.mark.slow
def test_the_pages_code_runs_and_learns(folder):
    tf.keras.utils.set_random_seed(1)
    first, *others = BLOCKS
    assert FOLDER in first
    names = {}
    exec(first.replace(FOLDER, str(folder)), names)
    best = names["lookup"].item_id.get_vocabulary()
    seen = names["histories"][0].numpy()
    right = [
        parity_of(best[item]) == parity_of(best[history[-1]])
        for history, items in zip(seen, names["best"].numpy(), strict=True)
        for item in items
    ]
    assert sum(right) / len(right) > 0.9
    for block in others:
        exec(block, names)
    _assert_shares(names, folder)


def _assert_shares(names, folder):
    events = Dataset.open(folder).statistics["events"]
    total = sum(events["by_type"].values())
    share = sum(len(batch["item_id"]) for batch in names["windows"])
    assert 0 < share < total
    assert sum(len(batch["item_id"]) for batch in names["rows"]) == events["train"]


def test_a_strategy_shards_as_the_page_says(folder):
    dataset = Dataset.open(folder)
    from tfrs_app.data.streaming import sequence_windows

    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    batches = strategy.distribute_datasets_from_function(
        lambda context: sequence_windows(
            folder,
            dataset.spec,
            history_length=3,
            batch_size=512,
            worker=context.input_pipeline_id,
            workers=context.num_input_pipelines,
        )
    )
    total = sum(dataset.statistics["events"]["by_type"].values())
    assert sum(len(batch["item_id"]) for batch in batches) == total
