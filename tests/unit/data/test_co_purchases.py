import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tfrs_app.contract.errors import ArtifactError
from tfrs_app.data.co_purchases import read_co_purchases

IDS = ["10", "9", "a", "ä"]
PARTS = [
    [("10", "a", 3, 1.5), ("10", "9", 2, 0.5), ("9", "10", 2, 0.5)],
    [("a", "10", 3, 1.5)],
]
COLUMNS = ("item_id", "other_item_id", "baskets", "lift")
TYPES = (pa.string(), pa.string(), pa.int64(), pa.float64())


def written(folder, parts=PARTS):
    pq.write_table(pa.table({"item_id": IDS}), folder / "item_statistics.parquet")
    (folder / "co_purchases").mkdir()
    for index, rows in enumerate(parts):
        columns = zip(*rows, strict=True) if rows else [()] * 4
        arrays = [pa.array(c, t) for c, t in zip(columns, TYPES, strict=True)]
        name = f"part-{index:05d}-of-{len(parts):05d}.parquet"
        table = pa.table(dict(zip(COLUMNS, arrays, strict=True)))
        pq.write_table(table, folder / "co_purchases" / name)
    return folder


def test_partners_are_catalogue_rows(tmp_path):
    found = read_co_purchases(written(tmp_path))
    assert found.row_splits.tolist() == [0, 2, 3, 4, 4]
    assert found.other.tolist() == [2, 1, 0, 0]
    assert found.lift.tolist() == [1.5, 0.5, 0.5, 1.5]
    assert found.baskets.tolist() == [3, 2, 2, 3]
    arrays = (found.row_splits, found.other, found.lift, found.baskets)
    assert [str(a.dtype) for a in arrays] == ["int64", "int32", "float64", "int64"]


def test_a_shop_where_nothing_is_bought_together(tmp_path):
    found = read_co_purchases(written(tmp_path, [[], []]))
    assert found.row_splits.tolist() == [0] * 5
    assert found.other.dtype == "int32"
    assert len(found.other) == len(found.lift) == 0


@pytest.mark.parametrize("row", [("x", "9", 2, 1.0), ("ä", "x", 2, 1.0)])
def test_an_unknown_item_is_refused(tmp_path, row):
    with pytest.raises(ArtifactError, match="does not fit the catalogue; make the da"):
        read_co_purchases(written(tmp_path, [*PARTS, [row]]))


def test_files_out_of_order_are_refused(tmp_path):
    with pytest.raises(ArtifactError, match="does not fit the catalogue"):
        read_co_purchases(written(tmp_path, PARTS[::-1]))


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="holds no files; make the dataset again"):
        read_co_purchases(written(tmp_path, []))


def test_the_reader_needs_no_tensorflow():
    code = (
        "import sys, tfrs_app.data.co_purchases; assert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
