"""quality.json against plain loops over the tiny shop's rows."""

import datetime as dt
import json
import statistics
from collections import Counter
from itertools import chain

import numpy as np
import pytest

from beam.prepare import prepare
from tests.integration.beam import shop
from tfrs_app.contract.quality import Quality, read_quality

MOMENTS = (1578700800, 1579564800)  # 2020-01-11 and 2020-01-21, UTC
SPANS = ("train", "validation", "test", "after_test")
NONE = (None, "", b"", float("inf"))
COLUMNS = {"price": 3, "quantity": 4, "session_id": 5, "store": 6, "wait": 7}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = shop.write_shop(tmp_path_factory.mktemp("shop"))
    # Thresholds that leave values outside the vocabularies.
    folder = prepare(shop.loaded(path, "data.item_min_users=6"))
    return path, folder


@pytest.fixture(scope="module")
def quality(made):
    return json.loads((made[1] / "quality.json").read_text())


@pytest.fixture(scope="module")
def events():
    return list(chain(*shop.expected_events().values()))


def span_of(event):
    return SPANS[sum(event[0] >= moment for moment in MOMENTS)]


def spans(rows):
    counts = Counter(map(span_of, rows))
    return {span: counts[span] for span in SPANS}


def test_rows_and_labels(quality, events):
    assert quality["rows"] == {
        "events": len(events),
        "items": len(shop.expected_items()),
        "users": len(shop.made_users()),
    }
    assert quality["labels"] == {
        kind: spans(e for e in events if e[2] == kind.encode())
        for kind in ("purchase", "view")
    }


@pytest.mark.parametrize("name", COLUMNS)
def test_event_columns_count_nulls_and_unknown_values_by_span(quality, events, name):
    place = COLUMNS[name]
    section = "features" if name in ("store", "wait") else "contract_columns"
    column = quality[section][name]
    rows, nulls = spans(events), spans(e for e in events if e[place] in NONE)
    for span in SPANS:
        # Both stores occur in training, so none of their values is unknown.
        found = {"rows": rows[span], "nulls": nulls[span], "oov": 0}
        assert column["spans"][span] == found
    assert column["table"] == "events"
    assert column["type"] == ("text" if name in ("session_id", "store") else "number")


def test_the_distribution_of_a_text(quality, events):
    stores = Counter(e[6].decode() for e in events if e[6])
    assert quality["features"]["store"]["distribution"] == {
        "listed": dict(stores.most_common()),
        "other": 0,
        "nulls": sum(not e[6] for e in events),
    }


@pytest.mark.parametrize("name", ["price", "quantity", "wait"])
def test_the_distribution_of_a_number(quality, events, name):
    values = [e[COLUMNS[name]] for e in events]
    counts = Counter(v for v in values if v not in NONE)
    section = "features" if name == "wait" else "contract_columns"
    found = quality[section][name]["distribution"]
    assert found["count"] == [counts[value] for value in sorted(counts)]
    np.testing.assert_allclose(found["low"], sorted(counts), rtol=5e-5)
    assert found["low"] == found["high"]
    assert found["nulls"] == sum(v in NONE for v in values)


def test_features_of_items_and_users(quality, made):
    items, users = list(shop.expected_items().values()), shop.made_users()
    cities = Counter(u["city"] for u in users if u["city"])
    colors = Counter(i["color"] for i in items)
    found = quality["features"]
    whole = {"rows": len(items), "nulls": 0, "oov": 0}
    assert found["color"]["spans"] == {"all": whole}
    assert found["color"]["distribution"]["listed"] == dict(
        sorted(colors.items(), key=lambda pair: (-pair[1], pair[0]))
    )
    sizes = [i["size"] for i in items]
    assert found["size"]["spans"]["all"]["nulls"] == sizes.count(None)
    assert found["size"]["distribution"]["low"] == sorted(s for s in sizes if s)
    assert found["title"]["spans"] == {"all": whole}  # its colour is always there
    assert found["title"]["distribution"] is None
    assert found["city"]["spans"] == {
        "all": {
            "rows": len(users),
            "nulls": sum(u["city"] is None for u in users),
            "oov": sum(n for n in cities.values() if n < 2),
        }
    }
    assert found["city"]["columns"] == ["city"]
    assert found["age"]["spans"]["all"]["nulls"] == 1
    assert found["age"]["kind"] == "bucketized"
    assert "timestamp" not in found


def test_values_that_training_never_saw_are_unknown(tmp_path):
    rows = shop.made_events()
    late = dt.datetime(2020, 1, 21)
    for row in rows:
        if row["moment"] and row["moment"] >= late and row["store"] == "south":
            row["store"] = "east"
    path = shop.write_shop(tmp_path, events=rows)
    store = read_quality(prepare(shop.loaded(path))).features["store"]
    souths = [e for e in chain(*shop.expected_events().values()) if e[6] == b"south"]
    assert {span: found.oov for span, found in store.spans.items()} == {
        "train": 0,
        "validation": 0,
        "test": sum(span_of(e) == "test" for e in souths),
        "after_test": 0,
    }
    assert store.distribution.listed["east"] == store.spans["test"].oov > 0


def test_rare_values_are_counted_but_not_named(tmp_path):
    users = [{**u, "city": "Rom" if u["customer"] == 3 else u["city"]}
             for u in shop.made_users()]  # fmt: skip
    path = shop.write_shop(tmp_path, users=users)
    text = (prepare(shop.loaded(path)) / "quality.json").read_text()
    city = Quality.model_validate_json(text).features["city"]
    assert city.spans["all"].oov == 1
    assert city.distribution.other == 1
    assert "Rom" not in text


def test_items(quality, events):
    train_users = {}
    for user, history in shop.expected_events().items():
        for event in history:
            if event[0] < MOMENTS[0]:
                train_users.setdefault(event[1].decode(), set()).add(user)
    known = {item for item, users in train_users.items() if len(users) >= 6}
    assert 0 < len(known) < 18
    sold = Counter(e[1].decode() for e in events)
    found = quality["items"]
    catalogue = shop.expected_items()
    assert found["catalogue"] == len(catalogue)
    assert found["orphans"] == sum(item not in sold for item in catalogue)
    assert found["top_items"] == 1  # a hundredth of 18, rounded up
    assert found["top_events"] == max(sold.values())
    rows, oov = spans(events), spans(e for e in events if e[1].decode() not in known)
    for span in SPANS:
        assert found["spans"][span] == {
            "rows": rows[span], "nulls": 0, "oov": oov[span],
        }  # fmt: skip
    ranked = sorted(known, key=lambda item: (-sold[item], item.encode()))
    assert list(found["popularity"]["listed"].items()) == [
        (item, sold[item]) for item in ranked
    ]
    unknown = sum(n for item, n in sold.items() if item not in known)
    assert found["popularity"]["other"] == unknown


def test_users(quality):
    histories = shop.expected_events().values()
    found = quality["users"]
    assert found["with_events"] == len(histories)
    assert found["spans"] == {
        span: sum(any(span_of(e) == span for e in history) for history in histories)
        for span in SPANS
    }
    assert found["new_in_test"] == sum(
        {span_of(e) for e in history} == {"test"} for history in histories
    )
    sizes = sorted(map(len, histories))
    counts = Counter(sizes)
    assert found["events_a_user"]["low"] == sorted(counts)
    assert found["events_a_user"]["count"] == [counts[n] for n in sorted(counts)]
    assert found["quantiles"]["0.0"] == sizes[0]
    assert found["quantiles"]["0.5"] == sizes[len(sizes) // 2]
    assert found["quantiles"]["1.0"] == sizes[-1]


def test_a_user_who_comes_in_the_test_is_new(tmp_path):
    first = next(e for e in shop.made_events() if e["quantity"])
    new = {**first, "customer": 77, "moment": dt.datetime(2020, 1, 25), "product": 96}
    path = shop.write_shop(tmp_path, events=[*shop.made_events(), new])
    assert read_quality(prepare(shop.loaded(path))).users.new_in_test == 1


def test_time(quality, events):
    days = Counter(e[0] // 86400 for e in events)
    a_day = [days[day] for day in range(min(days), max(days) + 1)]
    found = quality["time"]
    assert found["first"] == iso(min(e[0] for e in events))
    assert found["last"] == iso(max(e[0] for e in events))
    assert found["days"] == len(a_day)
    assert found["days_without_events"] == a_day.count(0)
    assert found["events_a_day"] == {
        "min": min(a_day), "median": statistics.median(a_day), "max": max(a_day),
    }  # fmt: skip
    week = Counter(
        moment.weekday() * 24 + moment.hour
        for moment in (dt.datetime.fromtimestamp(e[0], dt.UTC) for e in events)
    )
    assert found["hours_of_week"] == [week[hour] for hour in range(168)]


def iso(seconds):
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()


def test_days_without_events_are_seen(tmp_path):
    rows = [e for e in shop.made_events()
            if e["moment"] is None or e["moment"].day not in (14, 15)]  # fmt: skip
    path = shop.write_shop(tmp_path, events=rows)
    time = read_quality(prepare(shop.loaded(path))).time
    assert time.days_without_events == 2
    assert time.events_a_day["min"] == 0


def test_the_number_of_shards_changes_nothing(made):
    path, folder = made
    reference = (folder / "quality.json").read_bytes()
    for shards in (1, 25):  # some of the 25 stay empty
        sets = ("data.item_min_users=6", f"data.shards={shards}")
        other = prepare(shop.loaded(path, *sets))
        assert (other / "quality.json").read_bytes() == reference


def test_a_shop_without_users_or_features(tmp_path):
    path = shop.write_shop(tmp_path)
    folder = prepare(shop.loaded(path, "data.users=null", "features=[]"))
    found = read_quality(folder)
    assert not found.features
    assert set(found.rows) == {"events", "items"}
