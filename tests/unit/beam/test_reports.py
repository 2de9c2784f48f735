import pytest

from beam.reports import (
    Failure,
    ShardReport,
    SplitReport,
    audited,
    failure_of,
    shard_path,
    split_path,
)
from tfrs_app.contract.errors import ArtifactError, DataError, UserError


def saved(folder, **changes):
    split = {"split": 0, "rows_in": 9, "filtered": 2, "rejected": {"why": 1}}
    SplitReport(**(split | {"sent": [4, 2]} | changes)).save(split_path(folder, 0))
    for shard, (rows, duplicates) in enumerate([(4, 1), (2, 0)]):
        ShardReport(
            shard=shard,
            received={0: rows},
            rows_out=rows - duplicates,
            duplicates=duplicates,
            records=1,
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
    report = ShardReport(shard=1, received={0: 2}, rows_out=1, duplicates=0, records=1)
    report.save(shard_path(tmp_path, 1))
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
