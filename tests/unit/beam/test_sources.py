import gzip
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from beam.reading import check_types, columns_of_file, read
from beam.sources import digests_of, input_files, splits_of
from tfrs_app.contract.data_config import TableConfig
from tfrs_app.contract.errors import DataError


def files_of(source, **more):
    return input_files(TableConfig(source=str(source), **more), "data.items")


def rows_of(path, columns, **more):
    """(rows as (number, values...), rejects as (number, reason)) of a file."""
    good, bad = [], []
    for split in splits_of([files_of(path, **more)]):
        for batch in read(split, columns):
            values = [batch.table[name].to_pylist() for name in columns]
            good += list(zip(batch.rows.tolist(), *values, strict=True))
            bad += [(reject.row, reject.reason) for reject in batch.rejects]
    return good, bad


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.parquet", "parquet"), ("a.CSV", "csv"), ("a.csv.gz", "csv"),
     ("a.jsonl", "jsonl"), ("a.ndjson", "jsonl")],
)  # fmt: skip
def test_the_ending_tells_the_format(tmp_path, name, kind):
    (tmp_path / name).touch()
    assert files_of(tmp_path / name)[0].format == kind


def test_format_overrules_the_ending(tmp_path):
    (tmp_path / "a.txt").touch()
    assert files_of(tmp_path / "a.txt", format="csv")[0].format == "csv"
    with pytest.raises(
        DataError, match=r"'a.txt' tells no format; .*data.items.format"
    ):
        files_of(tmp_path / "a.txt")


def test_a_glob_is_sorted_and_labelled_below_its_fixed_folder(tmp_path):
    for name in ("b/2.csv", "a/10.csv", "a/9.csv", "a/x.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    files = files_of(tmp_path / "*" / "*.csv")
    assert [file.label for file in files] == ["a/10.csv", "a/9.csv", "b/2.csv"]
    assert [split.index for split in splits_of([files])] == [0, 1, 2]


def test_a_file_name_with_wildcards_is_taken_literally(tmp_path):
    (tmp_path / "a[1].csv").touch()
    assert [file.label for file in files_of(tmp_path / "a[1].csv")] == ["a[1].csv"]


def test_relative_paths_start_at_the_working_directory(tmp_path, monkeypatch):
    (tmp_path / "a.csv").touch()
    monkeypatch.chdir(tmp_path)
    assert files_of("a.csv")[0].path == str(tmp_path / "a.csv")


@pytest.mark.parametrize("source", ["none.csv", "*.csv", "package:sqlite3/none.csv"])
def test_no_file_is_an_error(tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"data.items.source: no file at .*none|\*"):
        files_of(source)


def test_a_file_inside_a_package_without_importing_it(tmp_path, monkeypatch):
    package = tmp_path / "shop_tables"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "data" / "items.csv").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for source in ("data/items.csv", "data/*.csv"):
        files = files_of(f"package:shop_tables/{source}")
        assert [file.path for file in files] == [str(package / "data" / "items.csv")]
    assert "shop_tables" not in sys.modules


@pytest.mark.parametrize(
    "source", ["package:not_installed/a.csv", "package:os.path/a.csv", "package:json"]
)
def test_no_package_is_an_error(source):
    with pytest.raises(DataError, match="names no installed package and path inside"):
        files_of(source)


def test_digests_follow_the_content(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"abc")
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digests_of(files_of(path)) == [("a.csv", sha256)]


def test_parquet_row_groups_number_their_rows(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"x": range(10), "y": ["a"] * 10}), path, row_group_size=4)
    splits = splits_of([files_of(path)])
    assert [(s.row_group, s.first_row) for s in splits] == [(0, 0), (1, 4), (2, 8)]
    good, bad = rows_of(path, ["x"])
    assert good == [(i, i) for i in range(10)]
    assert bad == []


CSV = 'a,b\n0,x\n1\n\n2,"two\nlines"\n3,x,y\n4,""\n5,"say ""hi"""\n'


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
def test_csv_rows_and_broken_rows_keep_their_numbers(tmp_path, name, begin):
    path = tmp_path / name
    content = begin + CSV.encode()
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert columns_of_file(files_of(path)[0]) == ["a", "b"]
    good, bad = rows_of(path, ["b", "a"])
    assert good == [
        (0, "x", "0"), (2, "two\nlines", "2"), (4, None, "4"), (5, 'say "hi"', "5"),
    ]  # fmt: skip
    assert bad == [(1, "wrong number of fields"), (3, "wrong number of fields")]


def test_csv_numbers_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("beam.csv_files._BLOCK_BYTES", 256)
    broken = {0, 1, 77, 78, 500, 999}
    lines = ["a,b"] + ["1" if i in broken else f"{i},b" for i in range(1000)]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines))
    good, bad = rows_of(path, ["a"])
    assert good == [(i, str(i)) for i in range(1000) if i not in broken]
    assert sorted(row for row, _ in bad) == sorted(broken)


def test_jsonl_values_read_as_a_csv_would_hold_them(tmp_path):
    path = tmp_path / "a.jsonl"
    lines = [
        '{"a": 1, "b": "x"}', "", '{"a": 12.0}', '{"a": 0.1, "b": null}', "{", "[1]",
        '{"a": true, "c": [1]}', '{"a": [1]}', '{"a": "ä"}', "\xff",
    ]  # fmt: skip
    path.write_bytes("\n".join(lines).encode("latin-1").replace(b"\xe4", "ä".encode()))
    assert columns_of_file(files_of(path)[0]) == ["a", "b", "c"]
    good, bad = rows_of(path, ["a", "b"])
    assert good == [
        (0, "1", "x"), (1, "12", None), (2, "0.1", None), (5, "true", None),
        (7, "ä", None),
    ]  # fmt: skip
    assert bad == [
        (3, "not a JSON object"), (4, "not a JSON object"), (6, "nested value"),
        (8, "not a JSON object"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.parquet", b"PAR1 and then nothing"),
        ("a.parquet", b""),
        ("a.csv", b""),
        ("a.csv.gz", b"no gzip"),
        ("a.csv", b"a,b\n\xff,1\n"),
    ],
)
def test_an_unreadable_file_is_an_error(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)

    def read_all():
        columns_of_file(files_of(path)[0])
        rows_of(path, ["a"])

    with pytest.raises(DataError, match=rf"{name}: cannot be read as (csv|parquet): "):
        read_all()


def test_a_corrupt_page_is_an_error(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [str(i) for i in range(5000)]}), path)
    content = bytearray(path.read_bytes())
    content[200:4000] = bytes(3800)
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a.parquet: cannot be read as parquet: "):
        rows_of(path, ["a"])


def test_columns_that_stand_twice_are_an_error(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,a\n1,2,3\n")
    with pytest.raises(DataError, match=r"columns \['a'\] stand twice"):
        columns_of_file(files_of(path)[0])


def test_a_column_of_lists_is_an_error(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [[1]], "b": [1]}), path)
    file = files_of(path)[0]
    check_types(file, ["b"])
    with pytest.raises(DataError, match=r"a.parquet: column 'a' has type list"):
        check_types(file, ["a", "b"])
