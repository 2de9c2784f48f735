"""Features that know the future, planted in the made shop's tables, are named."""

from collections import Counter, defaultdict
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam.prepare import prepare
from tests.program import tfrs_app
from tests.simulated_shop import ToyShop
from tfrs_app.contract.loading import load_config
from tfrs_app.data.dataset import Dataset
from tfrs_app.evaluation.leaks.features import measure_features, warnings_of
from tfrs_app.simulation.options import ShopSize
from tfrs_app.simulation.simulate import simulate

SIZE = ShopSize(users=1500, items=300, days=96, seed=8)
LEAKS = {
    "sales": ("growth", "items"),
    "sold_lately": ("newness", "items"),
    "visits": ("growth", "users"),
    "next_category": ("profile", "users"),
    "aisle": ("context", "an event"),
}
HONEST = {"sales_so_far", "old_category", "home", "category", "description", "segment"}
FEATURES = """\
  - {name: sales, role: candidate, kind: numeric}
  - {name: sold_lately, role: candidate, kind: categorical}
  - {name: visits, role: query, kind: bucketized}
  - {name: next_category, role: query, kind: categorical}
  - {name: aisle, role: context, kind: categorical}
  - {name: sales_so_far, role: candidate, kind: numeric}
  - {name: old_category, role: query, kind: categorical}
  - {name: home, role: context, kind: categorical}
"""


@dataclass
class Planted:
    options: list
    dataset: Dataset


def favourite(rows, category):
    """user -> the category of most of their purchases, "" for none."""
    counts = defaultdict(Counter)
    for row in rows:
        if row["event_type"] == "purchase":
            counts[row["user_id"]][category[row["item_id"]]] += 1
    return {user: found.most_common(1)[0][0] for user, found in counts.items()}


def is_new(row):
    return int(row["item_id"][1:]) % 6 == 0


def plant(shop, test_start):
    """Writes columns from the whole span, and honest ones from before the test."""
    names = ("events", "items", "users")
    read = {n: pq.read_table(shop.folder / f"{n}.parquet").to_pylist() for n in names}
    events, items, users = (read[name] for name in names)
    # Every sixth item is new in the test window, and some never sell.
    events = [r for r in events if r["timestamp"] >= test_start or not is_new(r)]
    items += [{**row, "item_id": row["item_id"] + "x"} for row in items[::6]]
    past = [row for row in events if row["timestamp"] < test_start]
    window = [row for row in events if row["timestamp"] >= test_start]
    category = {row["item_id"]: row["category"] for row in items}
    sold, sold_past = (Counter(r["item_id"] for r in rows) for rows in (events, past))
    lately = {row["item_id"] for row in window}
    visits = Counter(row["user_id"] for row in events)
    after, before = favourite(window, category), favourite(past, category)
    for row in items:
        row["sales"] = float(sold[row["item_id"]])
        row["sales_so_far"] = float(sold_past[row["item_id"]])
        row["sold_lately"] = "yes" if row["item_id"] in lately else "no"
    for row in users:
        row["visits"] = float(visits[row["user_id"]])
        row["next_category"] = after.get(row["user_id"])
        row["old_category"] = before.get(row["user_id"])
    for row in events:
        row["aisle"] = category[row["item_id"]]
        row["home"] = f"town{int(row['user_id'][1:]) % 9}"
    for name, rows in (("events", events), ("items", items), ("users", users)):
        pq.write_table(pa.Table.from_pylist(rows), shop.folder / f"{name}.parquet")


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("planted")
    shop = ToyShop(folder, simulate(SIZE, folder))
    plant(shop, shop.config.data.split.test_start)
    path = folder / "planted.yaml"
    text = shop.made.config.read_text()
    path.write_text(text.replace("\nretrieval:", f"{FEATURES}\nretrieval:"))
    artifacts = f"artifacts={folder / 'artifacts'}"
    dataset = Dataset.open(prepare(load_config(path, [artifacts])))
    return Planted(["-c", str(path), "--set", artifacts], dataset)


@pytest.fixture(scope="module")
def measured(planted):
    return measure_features(planted.dataset)


@pytest.mark.parametrize("feature", sorted(LEAKS))
def test_a_planted_leak_is_flagged_by_its_test(measured, feature):
    test, whose = LEAKS[feature]
    (found,) = (m for m in measured if (m.feature, m.test) == (feature, test))
    assert found.suspicious, found
    assert whose in found.evidence


@pytest.mark.parametrize("feature", sorted(HONEST))
def test_a_feature_of_the_past_is_not(measured, feature):
    found = [m for m in measured if m.feature == feature]
    assert found
    assert not any(m.suspicious for m in found), found


def test_the_worst_is_first_and_warnings_name_feature_evidence_and_remedy(
    planted, measured
):
    shares = [m.value / m.limit for m in measured]
    assert shares == sorted(shares, reverse=True)
    told = warnings_of(planted.dataset, measured)
    assert {line.split()[0] for line in told} == set(LEAKS)
    for line in told:
        assert "may know the future: " in line
        assert "more than 0." in line
        assert "leave it out" in line


def test_the_made_shop_as_it_is_has_none(simulated_dataset):
    measured = measure_features(simulated_dataset)
    assert len(measured) > 3
    assert warnings_of(simulated_dataset, measured) == []


def test_doctor_tells_of_them_and_stays_calm(planted):
    done = tfrs_app("doctor", *planted.options)
    assert done.returncode == 0, done.stdout + done.stderr
    events = planted.dataset.manifest.counts["events"]["rows_out"]
    assert f"none in the histories of {events:,} examples" in done.stdout
    for feature in LEAKS:
        assert f"! {feature} may know the future" in done.stdout
    for feature in HONEST:
        assert f"! {feature} may" not in done.stdout
