"""Tables of impressions: which rows become lists, and what is said of the others."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam.impression_tables import impressions_identity, read_impressions
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.privacy import UserKey
from tfrs_app.contract.ranking_config import ImpressionsConfig, RankingConfig

USERS = np.array([b"anna", b"ben"], object)
ITEMS = np.array([b"jar", b"lid", b"cup"], object)
START, END, HOUR = 1_700_000_000, 1_700_100_000, 3600
GOOD = {
    "user_id": "anna",
    "item_id": "jar",
    "timestamp": START,
    "position": 0,
    "list_id": "a",
    "signature": "recommend",
    "sampling_rate": 0.5,
}
OTHER_LIST = {"list_id": "b", "timestamp": START + 5}
INCOMPLETE = "user, item, list, time, place or rate is missing or impossible"


def read(folder, rows, key=None, drop=(), **config):
    names = [name for name in GOOD if name not in drop]
    columns = {name: [(GOOD | row)[name] for row in rows] for name in names}
    path = folder / "shown.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=2)
    return read_impressions(ranking(path, **config), USERS, ITEMS, key, (START, END))


def ranking(path, **config):
    impressions = {"source": str(path), "within_hours": 1.0, **config}
    return RankingConfig(impressions=ImpressionsConfig(**impressions))


def as_rows(lists):
    return [
        (int(user), int(moment), row[row >= 0].tolist(), place[row >= 0].tolist())
        for user, moment, row, place in zip(
            lists.user, lists.moment_s, lists.row, lists.place, strict=True
        )
    ]


def test_rows_of_one_list_come_in_the_order_of_their_places(tmp_path):
    lists, told = read(
        tmp_path,
        [
            {"item_id": "lid", "position": 3},
            {"user_id": "ben", "item_id": "cup"} | OTHER_LIST,
            {"item_id": "cup", "position": 1},
            {},
        ],
    )
    assert as_rows(lists) == [
        (0, START, [0, 2, 1], [0, 1, 3]),
        (1, START + 5, [2], [0]),
    ]
    assert (told.rows, told.used, dict(told.left_out)) == (4, 4, {})
    assert lists.within_s == HOUR


def test_an_item_shown_twice_counts_by_its_first_place(tmp_path):
    rows = [{"position": place} for place in (4, 2, 3)]
    lists, _ = read(tmp_path, rows)
    assert as_rows(lists) == [(0, START, [0], [2])]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"user_id": None}, INCOMPLETE),
        ({"user_id": ""}, INCOMPLETE),
        ({"item_id": None}, INCOMPLETE),
        ({"list_id": None}, INCOMPLETE),
        ({"timestamp": None}, INCOMPLETE),
        ({"position": None}, INCOMPLETE),
        ({"position": -1}, INCOMPLETE),
        ({"position": 2**40}, INCOMPLETE),
        ({"sampling_rate": 0.0}, INCOMPLETE),
        ({"sampling_rate": 1.5}, INCOMPLETE),
        ({"sampling_rate": None}, INCOMPLETE),
        ({"timestamp": START - 1}, "shown at other times"),
        ({"timestamp": END - HOUR + 1}, "shown at other times"),
        ({"signature": "similar_items"}, "of other signatures"),
        ({"signature": None}, "of other signatures"),
        ({"user_id": "carl"}, "of users without events"),
        ({"item_id": "pan"}, "of items that are not in the catalogue"),
    ],
)
def test_what_cannot_be_used_is_left_out_and_counted(tmp_path, row, reason):
    lists, told = read(tmp_path, [{}, row, {"timestamp": END - HOUR, "list_id": "b"}])
    assert as_rows(lists) == [(0, START, [0], [0]), (0, END - HOUR, [0], [0])]
    assert (told.rows, told.used, dict(told.left_out)) == (3, 2, {reason: 1})


def test_a_place_that_is_no_whole_number_is_impossible(tmp_path):
    _, told = read(tmp_path, [{"position": 0.5}, {"position": 1.0}])
    assert told.left_out == {INCOMPLETE: 1}


def test_a_list_weighs_what_it_stands_for(tmp_path):
    rows = [{"list_id": name, "sampling_rate": rate} for name, rate in rates().items()]
    lists, _ = read(tmp_path, rows)
    np.testing.assert_allclose(lists.weight, np.array([10, 1, 4]) / 5)
    alike, _ = read(tmp_path, rows, drop=["sampling_rate", "signature"])
    np.testing.assert_array_equal(alike.weight, [1, 1, 1])


def rates():
    return {"a": 0.1, "b": 1.0, "c": 0.25}


def test_of_many_lists_some_are_drawn(tmp_path):
    rows = [
        {"list_id": f"l{n}", "timestamp": START + n, "item_id": item}
        for n in range(50)
        for item in ("jar", "cup")
    ]
    some, told = read(tmp_path, rows, lists=7)
    assert (told.used, told.lists) == (100, 50)
    assert len(set(some.moment_s)) == 7
    assert (some.row >= 0).all()
    again, _ = read(tmp_path, rows, lists=7)
    np.testing.assert_array_equal(again.moment_s, some.moment_s)


def test_users_may_be_hashed_already(tmp_path):
    key = UserKey(b"sixteen letters.")
    hashed = {"user_id": key.pseudonym("ben"), "list_id": "b"}
    pseudonyms = np.array([key.pseudonym(n).encode() for n in ("anna", "ben")], object)
    path = tmp_path / "shown.parquet"
    rows = [GOOD, GOOD | hashed, GOOD | {"user_id": "carl"}]
    pq.write_table(pa.Table.from_pylist(rows), path)
    lists, told = read_impressions(ranking(path), pseudonyms, ITEMS, key, (START, END))
    assert [user for user, *_ in as_rows(lists)] == [0, 1]
    assert told.left_out == {"of users without events": 1}


def test_a_table_in_csv_with_moments_as_texts(tmp_path):
    path = tmp_path / "shown.csv"
    path.write_text(
        "user_id,item_id,timestamp,position,list_id\n"
        "anna,jar,2023-11-14T22:13:20Z,0,a\n"
        "ben,cup,2023-11-14 23:13:20,2,b\n"
    )
    lists, _ = read_impressions(ranking(path), USERS, ITEMS, None, (START, END))
    assert as_rows(lists) == [(0, START, [0], [0]), (1, START + HOUR, [2], [2])]


@pytest.mark.parametrize("column", ["user_id", "timestamp", "position", "list_id"])
def test_a_missing_column_is_named(tmp_path, column):
    with pytest.raises(DataError, match=f"has no column '{column}'; make"):
        read(tmp_path, [{}], drop=[column])


def test_a_table_without_a_usable_row_is_refused(tmp_path):
    with pytest.raises(DataError) as refused:
        read(tmp_path, [{"user_id": "carl"}, {"timestamp": 5}, {"timestamp": 6}])
    said = str(refused.value)
    assert said.startswith("ranking.impressions.source: none of 3 rows of ")
    assert "2 x shown at other times; 1 x of users without events; name a" in said


def test_an_absent_table_is_named(tmp_path):
    with pytest.raises(DataError, match=r"ranking\.impressions\.source: no file at"):
        impressions_identity(ranking(tmp_path / "none.parquet"))


def test_a_table_with_other_content_is_another_ingredient(tmp_path):
    path = tmp_path / "shown.parquet"
    seen = set()
    for count in (1, 2):
        pq.write_table(pa.Table.from_pylist([GOOD] * count), path)
        seen.add(impressions_identity(ranking(path)))
    assert len(seen) == 2
    assert impressions_identity(RankingConfig()) is None
