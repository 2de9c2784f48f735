"""What the job says about things bought together, against loops over the shop."""

import json
import math

import pyarrow.parquet as pq
import pytest

from beam.prepare import prepare
from tests.integration.beam import shop
from tests.unit.beam.basket_loops import (
    loop_baskets,
    loop_co_purchases,
    loop_repurchases,
)
from tfrs_app.contract.artifacts import verify
from tfrs_app.contract.errors import DataError
from tfrs_app.data.co_purchases import read_co_purchases

TRAIN_END = 1578700800  # 2020-01-11T00:00:00Z
WINDOW = ("data.co_purchases.within=window", "data.co_purchases.window_hours=60")
OTHERS = ("data.co_purchases.min_baskets=3", "data.co_purchases.shrinkage=0.5")


def many_events():
    """Enough events, and few enough receipts, for things to be bought together."""
    events = shop.made_events(rows=6000)
    return [{**event, "receipt": event["receipt"] % 7} for event in events]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return shop.write_shop(tmp_path_factory.mktemp("shop"), events=many_events())


@pytest.fixture(scope="module")
def by_window(path):
    return prepare(shop.loaded(path, *WINDOW, *OTHERS))


def bought():
    """(user, item, second, session) of the shop's purchases that training may see."""
    return [
        (user, item.decode(), moment, session)
        for user, events in shop.expected_events(many_events()).items()
        for moment, item, kind, _, _, session, *_ in events
        if moment < TRAIN_END and kind == b"purchase"
    ]


def rows_of(folder):
    paths = sorted((folder / "co_purchases").iterdir())
    return [tuple(row.values()) for p in paths for row in pq.read_table(p).to_pylist()]


def stats_of(folder):
    return json.loads((folder / "stats.json").read_text())["co_purchases"]


def by_bytes(purchases):
    """Replaces item ids by their rank, which is what ties are broken by."""
    ids = sorted(shop.expected_items(), key=str.encode)
    return ids, [(u, ids.index(item), m, s) for u, item, m, s in purchases]


def expected_rows(purchases, hours=24.0, sessions=True, **rules):
    ids, ranked = by_bytes(purchases)
    baskets = loop_baskets(ranked, hours, sessions)
    rows = loop_co_purchases(baskets, **rules)
    return baskets, [(ids[a], ids[b], n, lift) for a, b, n, lift in rows]


def test_windows(by_window):
    baskets, rows = expected_rows(bought(), 60, False, shrinkage=0.5, least=3)
    assert len(rows) > 50
    assert rows_of(by_window) == rows
    assert stats_of(by_window) == {
        "within": "window", "baskets": len(baskets), "too_large": 0, "pairs": len(rows),
    }  # fmt: skip
    listed = verify(by_window).files
    assert sum(name.startswith("co_purchases/") for name in listed) == 3
    other = read_co_purchases(by_window).other
    ids = sorted(shop.expected_items(), key=str.encode)
    assert [ids[row] for row in other] == [row[1] for row in rows]


def test_sessions_are_the_default_where_the_column_exists(path):
    folder = prepare(shop.loaded(path))
    baskets, rows = expected_rows(bought())
    assert len(rows) > 50
    assert rows_of(folder) == rows
    assert stats_of(folder)["within"] == "session"
    assert stats_of(folder)["baskets"] == len(baskets)


def test_a_shop_without_session_ids_goes_by_time(tmp_path):
    events = [{k: v for k, v in e.items() if k != "receipt"} for e in many_events()]
    path = shop.write_shop(tmp_path, events=events)
    columns = (
        "{user_id: customer, item_id: product, timestamp: moment, event_type: kind}"
    )
    config = (f"data.events.columns={columns}", "data.users=null", "features=[]")
    folder = prepare(shop.loaded(path, *config))
    _, rows = expected_rows(bought(), sessions=False)
    assert rows_of(folder) == rows
    assert stats_of(folder)["within"] == "window"
    with pytest.raises(
        DataError, match="'session' needs session ids, which the events"
    ):
        prepare(shop.loaded(path, *config, "data.co_purchases.within=session"))


def test_oversize_baskets_count_nowhere(path):
    rules = ("within=window", "window_hours=60", "max_basket=6")
    folder = prepare(shop.loaded(path, *(f"data.co_purchases.{r}" for r in rules)))
    baskets, rows = expected_rows(bought(), 60, False, largest=6)
    large = sum(len(basket) > 6 for basket in baskets)
    assert 0 < large < len(baskets)
    assert rows_of(folder) == rows
    assert stats_of(folder)["too_large"] == large
    assert stats_of(folder)["baskets"] == len(baskets) - large


@pytest.mark.parametrize("shards", [1, 25])
def test_shards_change_nothing(path, by_window, shards):
    folder = prepare(shop.loaded(path, f"data.shards={shards}", *WINDOW, *OTHERS))
    assert len(list((folder / "co_purchases").iterdir())) == shards
    assert rows_of(folder) == rows_of(by_window)


def test_two_runs_give_the_same_bytes(path, by_window):
    before = {p.name: p.read_bytes() for p in (by_window / "co_purchases").iterdir()}
    folder = prepare(shop.loaded(path, *WINDOW, *OTHERS), force=True)
    assert folder == by_window
    assert {
        p.name: p.read_bytes() for p in (folder / "co_purchases").iterdir()
    } == before


def test_repurchase_intervals(by_window):
    expected = loop_repurchases(bought())
    assert len(expected) > 3
    for row in pq.read_table(by_window / "item_statistics.parquet").to_pylist():
        count, days = expected.get(row["item_id"], (0, math.nan))
        assert row["repurchases"] == count
        assert row["repurchase_days"] == pytest.approx(days, nan_ok=True, abs=0)


def test_a_shop_of_views_has_no_purchase(tmp_path):
    events = [{**event, "kind": "view"} for event in shop.made_events()]
    folder = prepare(shop.loaded(shop.write_shop(tmp_path, events=events)))
    assert rows_of(folder) == []
    assert stats_of(folder) == {
        "within": "session", "baskets": 0, "too_large": 0, "pairs": 0,
    }  # fmt: skip
    table = pq.read_table(folder / "item_statistics.parquet")
    assert set(table.column("repurchases").to_pylist()) == {0}
