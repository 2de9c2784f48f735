import hashlib
import json

import pytest

from beam.failures import Failure, failure_of
from beam.reports import (
    ItemRangeReport,
    ShardReport,
    SplitReport,
    audited,
    audited_ranges,
    range_path,
    shard_path,
    split_path,
)
from tfrs_app.contract.artifacts import FileRecord
from tfrs_app.contract.errors import ArtifactError, DataError, UserError


def recorded(path, content=b"content"):
    """A file and what a worker would have reported of it."""
    path.write_bytes(content)
    return {
        path: FileRecord(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    }


def saved(folder, **changes):
    files = recorded(folder / "part-0")
    split = {"split": 0, "rows_in": 9, "filtered": 2, "rejected": {"why": 1}}
    split["files"] = recorded(folder / "rejects-0")
    SplitReport(**(split | {"sent": [4, 2]} | changes)).save(split_path(folder, 0))
    for shard, (rows, duplicates) in enumerate([(4, 1), (2, 0)]):
        ShardReport(
            shard=shard,
            received={0: rows},
            rows_out=rows - duplicates,
            duplicates=duplicates,
            records=1,
            files=files,
        ).save(shard_path(folder, shard))


def test_reports_that_balance(tmp_path):
    saved(tmp_path)
    assert audited(tmp_path, "events", 1, 2).counts == {
        "rows_in": 9,
        "rows_out": 5,
        "filtered": 2,
        "rejected": 1,
        "duplicates": 1,
        "returned": 0,
        "forgotten": 0,
        "rejected_by_reason": {"why": 1},
    }


@pytest.mark.parametrize(
    "changes", [{"sent": [5, 1]}, {"sent": [4, 3]}, {"rows_in": 10}, {"filtered": 1}]
)
def test_lost_or_repeated_rows_are_our_error(tmp_path, changes):
    saved(tmp_path, **changes)
    with pytest.raises(
        RuntimeError, match=r"events: .* the runner lost or repeated rows"
    ):
        audited(tmp_path, "events", 1, 2)


def test_rows_lost_inside_a_shard_are_our_error(tmp_path):
    saved(tmp_path)
    ShardReport(
        shard=1, received={0: 2}, rows_out=1, duplicates=0, records=1, files={}
    ).save(shard_path(tmp_path, 1))
    with pytest.raises(RuntimeError, match="shard 1 does not balance"):
        audited(tmp_path, "events", 1, 2)


@pytest.mark.parametrize(("splits", "shards"), [(2, 2), (1, 3)])
def test_skipped_work_is_our_error(tmp_path, splits, shards):
    saved(tmp_path)
    with pytest.raises(RuntimeError, match="the runner skipped work without an error"):
        audited(tmp_path, "events", splits, shards)


@pytest.mark.parametrize(
    ("error", "kind"), [(DataError("x"), DataError), (ArtifactError("x"), UserError)]
)
def test_a_users_mistake_comes_home_before_any_audit(tmp_path, error, kind):
    failure = Failure.model_validate_json(failure_of(error).model_dump_json())
    SplitReport(split=0, failure=failure).save(split_path(tmp_path, 0))
    with pytest.raises(kind, match=r"^x$"):
        audited(tmp_path, "events", 1, 2)


@pytest.mark.parametrize("name", ["part-0", "rejects-0"])
@pytest.mark.parametrize("content", [None, b"conten", b"contenT"])
def test_a_file_that_is_not_as_its_worker_wrote_it_is_our_error(
    tmp_path, name, content
):
    saved(tmp_path)
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(content)
    found = "is absent here" if content is None else "but its worker wrote"
    with pytest.raises(RuntimeError, match=rf"{name}: .*{found}"):
        audited(tmp_path, "events", 1, 2)


@pytest.mark.parametrize("report", ["split-00000.json", "shard-00001.json"])
def test_a_worker_of_another_version_is_named(tmp_path, report):
    saved(tmp_path)
    path = tmp_path / report
    path.write_text(
        json.dumps(json.loads(path.read_text()) | {"tfrs_app": "0.0.1", "new": 1})
    )
    with pytest.raises(UserError, match=r"a worker runs tfrs-app 0\.0\.1 and the"):
        audited(tmp_path, "events", 1, 2)


def test_ranges_hold_the_whole_catalogue(tmp_path):
    for index, records in enumerate([3, 4]):
        files = recorded(tmp_path / f"items-{index}")
        ItemRangeReport(records=records, files=files).save(range_path(tmp_path, index))
    audited_ranges(tmp_path, 7, 2)
    with pytest.raises(RuntimeError, match="7 of 8 items were written"):
        audited_ranges(tmp_path, 8, 2)
    with pytest.raises(RuntimeError, match="the runner skipped work"):
        audited_ranges(tmp_path, 7, 3)
    (tmp_path / "items-1").write_bytes(b"changed")
    with pytest.raises(RuntimeError, match="but its worker wrote"):
        audited_ranges(tmp_path, 7, 2)
