"""With random labels nothing can be learned, so every metric must be at chance."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam.prepare import prepare
from tests.simulated_shop import SIZE
from tests.simulated_towers import quick_towers
from tfrs_app.contract.loading import load_config
from tfrs_app.data.dataset import Dataset
from tfrs_app.evaluation.metrics import hits_of, ndcg_at
from tfrs_app.evaluation.protocol import Target, ask
from tfrs_app.evaluation.ranking import ranked_lists

K = 20


CHANCES = 10


class Chance:
    def __init__(self, seed):
        self.seed = seed

    def scores(self, question, rows):
        random = np.random.default_rng([self.seed, rows.start])
        return random.random((len(question.user[rows]), SIZE.items))


def ndcg_of_users(scorer, question):
    lists = ranked_lists(scorer, question, K)
    hits = hits_of(lists, question.targets.splits, question.targets.items)
    return ndcg_at(K, hits, question.targets.sizes)


def gain_over_chance(dataset, scorer):
    """The 99.8 % bootstrap interval, over users, of NDCG less a random list's.

    What a random list is worth is the mean of several: one alone is mostly noise.
    """
    split = dataset.split
    question = ask(dataset.events, Target.ALL, split.test_start, split.test_end)
    assert len(question.user) > 100
    by_chance = [ndcg_of_users(Chance(seed), question) for seed in range(CHANCES)]
    gain = ndcg_of_users(scorer, question) - np.mean(by_chance, axis=0)
    random = np.random.default_rng(2)
    drawn = random.integers(len(gain), size=(4000, len(gain)))
    return np.quantile(gain[drawn].mean(axis=1), [0.001, 0.999])


@pytest.mark.slow
def test_shuffled_labels_give_chance(simulated_shop, tmp_path):
    events = pq.read_table(simulated_shop.folder / "events.parquet")
    ids = pq.read_table(simulated_shop.folder / "items.parquet")["item_id"]
    drawn = np.random.default_rng(4).integers(SIZE.items, size=events.num_rows)
    shuffled = events.set_column(
        events.column_names.index("item_id"), "item_id", ids.take(pa.array(drawn))
    )
    pq.write_table(shuffled, tmp_path / "events.parquet")
    sets = [
        f"data.events.source={tmp_path / 'events.parquet'}",
        f"artifacts={tmp_path / 'artifacts'}",
    ]
    shop = load_config(simulated_shop.made.config, sets)
    dataset = Dataset.open(prepare(shop))
    towers = quick_towers(dataset, shop.retrieval, tmp_path / "run")
    low, high = gain_over_chance(dataset, towers)
    assert low < 0 < high
    assert high < 0.06


@pytest.mark.slow
def test_true_labels_are_far_above_chance(simulated_dataset, simulated_towers):
    low, _ = gain_over_chance(simulated_dataset, simulated_towers)
    assert low > 0.1
