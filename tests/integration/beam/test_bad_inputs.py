import json

import pytest

from beam.prepare import main, prepare
from tests.integration.beam import shop
from tfrs_app.contract.errors import ConfigError, DataError

MAPPED = "data.events.columns={user_id: customer, item_id: product, timestamp: %s}"


def failed(tmp_path, match, *overrides, error=DataError, ending="parquet", **tables):
    """Checks that a job fails with the message and leaves no dataset."""
    config = shop.loaded(shop.write_shop(tmp_path, ending, **tables), *overrides)
    with pytest.raises(error, match=match):
        prepare(config)
    assert not list(tmp_path.glob("artifacts/**/manifest.json"))


@pytest.mark.parametrize("source", ["none.parquet", "none/*.parquet"])
def test_missing_file(tmp_path, source):
    failed(
        tmp_path, "data.items.source: no file at 'none", f"data.items.source={source}"
    )


def test_misspelt_mapped_column_names_the_closest(tmp_path):
    failed(
        tmp_path,
        r"events.parquet: lacks column 'momet', which data.events.columns.timestamp "
        r"names; did you mean 'moment'\? existing columns: 'customer', 'kind'",
        MAPPED % "momet",
    )


@pytest.mark.parametrize("ending", shop.ENDINGS)
def test_required_column_that_nobody_maps(tmp_path, ending):
    failed(
        tmp_path,
        rf"events.{ending}: lacks column 'user_id', which data.events.columns.user_id",
        "data.events.columns={item_id: product, timestamp: moment}",
        ending=ending,
    )


def test_misspelt_key_in_columns(tmp_path):
    failed(
        tmp_path,
        r"data.events.columns.user_ids: unknown column; did you mean 'user_id'\? .*"
        "'event_type', 'item_id', 'price'",
        "data.events.columns={user_ids: customer}",
    )


def test_feature_column_that_the_file_lacks(tmp_path):
    failed(
        tmp_path,
        "lacks column 'colour', which features.colour.columns names; "
        "did you mean 'color'",
        "features=[{name: colour, role: candidate, kind: categorical}]",
    )


def test_where_column_that_the_file_lacks(tmp_path):
    failed(
        tmp_path,
        "lacks column 'quantiti', which data.events.where names; did you mean 'quant",
        "data.events.where=quantiti > 0",
    )


def test_where_of_another_type_comes_home_from_the_worker(tmp_path):
    failed(
        tmp_path,
        "where: column 'kind' of type large_string cannot be compared with 3",
        "data.events.where=kind == 3",
    )


def test_further_file_that_lacks_a_column(tmp_path):
    events = [{k: v for k, v in e.items() if k != "paid"} for e in shop.made_events()]
    shop.write_table(tmp_path / "events2.parquet", events)
    failed(
        tmp_path,
        "events2.parquet: lacks column 'paid'",
        f"data.events.source={tmp_path}/events*.parquet",
    )


@pytest.mark.parametrize(
    ("start", "test", "message"),
    [
        (
            "2019-01-01",
            "2020-01-10",
            "validation_start: 2019-.* leaves no event for train",
        ),
        ("2020-01-10", "2021-01-01", "test_start: 2021-.* leaves no event for test"),
        ("2021-01-01", "2021-01-02", "test_start: .* leaves no event for validation"),
    ],
)
def test_impossible_split(tmp_path, start, test, message):
    failed(
        tmp_path,
        rf"data.split.{message}; events last from 2020-01-01T.* to 2020-01-30T",
        f"data.split={{validation_start: {start}, test_start: {test}}}",
    )


@pytest.mark.parametrize(
    ("table", "ending"), [("events", "csv"), ("items", "parquet"), ("users", "parquet")]
)
def test_table_without_rows(tmp_path, table, ending):
    path = shop.write_shop(tmp_path, ending)
    file = tmp_path / f"{table}.{ending}"
    if ending == "csv":
        file.write_text(file.read_text().splitlines()[0] + "\n")
    else:
        shop.pq.write_table(shop.pq.read_table(file).slice(0, 0), file)
    with pytest.raises(DataError, match=f"data.{table}.source: the table has no rows"):
        prepare(shop.loaded(path))


def test_corrupt_parquet(tmp_path):
    path = shop.write_shop(tmp_path)
    file = tmp_path / "users.parquet"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"users.parquet: cannot be read as parquet"):
        prepare(shop.loaded(path))


def test_filter_that_leaves_nothing(tmp_path):
    failed(tmp_path, "leaves no item", "data.items.where=color == 'x'")
    events = "data.events.where=quantity > 99"
    failed(tmp_path, "data.events: no event is left", events)


def test_threshold_that_empties_a_vocabulary(tmp_path):
    failed(
        tmp_path,
        "data.item_min_users: no value of 'item_id' is frequent enough",
        "data.item_min_users=1000",
    )


def test_feature_without_a_number(tmp_path):
    items = [{**item, "size": None} for item in shop.made_items()]
    failed(
        tmp_path,
        "features.size: column 'size' of data.items holds no number",
        items=items,
    )


def test_too_many_rejects_name_reasons_and_first_rows(tmp_path):
    failed(
        tmp_path,
        r"data.events: 4 of 620 rows rejected, more than data.max_rejected = 0.001: "
        r"1 x .* \(first: events.parquet row 1\d\d\); .*; mend the rows",
        "data.max_rejected=0.001",
    )


def test_unparsable_timestamps(tmp_path):
    events = shop.made_events()
    for row in (3, 333):
        events[row] |= {"moment": "yesterday", "quantity": 1}
    path = shop.write_shop(tmp_path, "jsonl", events=events)
    folder = prepare(shop.loaded(path))
    rejects = rejects_of(folder)
    found = [r["row"] for r in rejects if r["reason"] == "unparsable timestamp"]
    assert found == [3, 333]
    assert rejects[0]["content"]["moment"] == "yesterday"


def test_broken_csv_rows_balance(tmp_path):
    path = shop.write_shop(tmp_path, "csv")
    file = tmp_path / "events.csv"
    lines = file.read_text().splitlines()
    broken = {0: "1,2", 50: lines[51] + ",more", 619: "x"}
    for row, line in broken.items():
        lines[row + 1] = line
    file.write_text("\n".join(lines))
    folder = prepare(shop.loaded(path))
    wrong = [r for r in rejects_of(folder) if r["reason"] == "wrong number of fields"]
    assert {reject["row"]: reject["content"] for reject in wrong} == broken
    counts = json.loads((folder / "manifest.json").read_text())["counts"]["events"]
    assert counts["rows_in"] == 620
    fates = ("rows_out", "filtered", "rejected", "duplicates")
    assert counts["rows_in"] == sum(counts[fate] for fate in fates)
    assert counts["rejected_by_reason"]["wrong number of fields"] == 3


def test_a_value_that_where_cannot_read_is_no_filtered_row(tmp_path):
    events = shop.made_events()
    events[3]["quantity"], events[4]["quantity"] = "two", None
    path = shop.write_shop(tmp_path, "csv", events=events)
    rejects = rejects_of(prepare(shop.loaded(path)))
    assert rejects[0]["row"] == 3
    assert rejects[0]["reason"] == "unparsable number in quantity"
    assert 4 not in [reject["row"] for reject in rejects]
    clause = "data.events.where=wait < 9 or receipt is None"
    events = [{**event, "quantity": 1, "wait": 1} for event in events]
    events[5]["wait"] = "long"
    path = shop.write_shop(tmp_path, "csv", events=events)
    folder = prepare(shop.loaded(path, clause, "features=[]"))
    (reject,) = [r for r in rejects_of(folder) if "where" in r["reason"]]
    assert (reject["row"], reject["reason"]) == (5, "value that where cannot compare")


def test_a_mode_that_loses_rows_is_refused(tmp_path):
    config = shop.loaded(shop.write_shop(tmp_path))
    with pytest.raises(ConfigError, match="multi_threading loses rows"):
        prepare(config, ["--direct_running_mode=multi_threading"])


def test_command_line_says_one_sentence_and_exits_2(tmp_path, capfd):
    path = shop.write_shop(tmp_path)
    assert main(["-c", str(path), "--set", MAPPED % "momet", "data.shards=2"]) == 2
    error = capfd.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert main(["-c", str(tmp_path / "none.yaml")]) == 2
    assert "no such file" in capfd.readouterr().err


def rejects_of(folder):
    lines = (folder / "rejects" / "events.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]
