"""Turns request logs into a table of impressions: `Create(files) | ParDo(convert)`."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import pyarrow.parquet as pq

from beam.batches import Reject
from beam.failures import Failure, failure_of
from beam.reports import Report
from beam.request_logs import LogFile, log_files, read_log
from beam.runners import linear_pipeline, pipeline_options
from beam.shown_lists import IMPRESSIONS
from beam.sinks import atomic_file, write_rejects
from beam.written import check_shared, check_written, recorded
from tfrs_app.contract.artifacts import FileRecord, staged
from tfrs_app.contract.dataset import shard_name
from tfrs_app.contract.errors import DataError, UserError

TABLE = "impressions"
REJECTS = "_rejects.jsonl"
"""Readers of a folder of Parquet files pass over names with an underscore in front."""
_WORK = ".work"
_TOP_REASONS = 3


class LogReport(Report):
    """Tells what became of the records of one file."""

    records: int = 0
    without_items: int = 0
    impressions: int = 0
    rejected: dict[str, int] = {}
    files: dict[Path, FileRecord] = {}
    failure: Failure | None = None


@dataclass(frozen=True)
class Balance:
    """Counts records in and out: `records = used + without_items + rejected`."""

    records: int
    without_items: int
    rejected: dict[str, int]
    impressions: int


def convert(
    patterns: Sequence[str],
    output: Path,
    max_rejected: float,
    runner_options: Sequence[str] = (),
) -> Balance:
    """Writes the impressions of request logs as a folder of Parquet files.

    Args:
        patterns: paths, globs or URLs of finished files.
        output: the folder; it must not be there yet.
        max_rejected: share of bad records above which nothing is written.
        runner_options: Beam's flags; without `--runner` the job runs in this process.

    Returns:
        What became of the records.

    Raises:
        DataError: there is no log, one cannot be read, too many records are bad, or the
            output is there.
        RuntimeError: the runner skipped work.
    """
    options = pipeline_options(runner_options)
    files = log_files(list(patterns))
    if output.exists():
        raise DataError(
            f"{output}: is there already; name another folder, or delete it first"
        )
    with staged(output.absolute()) as staging:
        stage = ConvertLog(staging, len(files))
        (staging / _WORK).mkdir()
        with linear_pipeline(options) as pipeline:
            (
                pipeline
                | "Files" >> beam.Create(files)
                | "Convert" >> beam.ParDo(stage).with_output_types(int)
            )
        balance = _audited(stage, files, max_rejected)
        _collect_rejects(stage, files)
        shutil.rmtree(staging / _WORK)
    return balance


class ConvertLog(beam.DoFn):
    """Writes the impressions, rejects and report of one file of a request log."""

    def __init__(self, folder: Path, files: int) -> None:
        self.folder = folder
        self.files = files

    def process(self, file: LogFile) -> Iterator[int]:
        """Yields the file's number."""
        check_shared(self.folder)
        try:
            report = self._converted(file)
        except UserError as error:
            report = LogReport(failure=failure_of(error))
        report.save(self.report_path(file))
        yield file.index

    def _converted(self, file: LogFile) -> LogReport:
        counts: Counter[str] = Counter()
        rejects: list[Reject] = []
        path = self.folder / shard_name(file.index, self.files, "parquet")
        with atomic_file(path) as target, pq.ParquetWriter(target, IMPRESSIONS) as to:
            for part in read_log(file):
                to.write_table(part.table)
                rejects += part.rejects
                counts["records"] += part.records
                counts["without_items"] += part.without_items
                counts["impressions"] += len(part.table)
        write_rejects(self.rejects_path(file), TABLE, rejects)
        return LogReport(
            **counts,
            rejected=Counter(reject.reason for reject in rejects),
            files=recorded(path, self.rejects_path(file)),
        )

    def report_path(self, file: LogFile) -> Path:
        """Returns where a file's report lies."""
        return self.folder / _WORK / f"log-{file.index:05d}.json"

    def rejects_path(self, file: LogFile) -> Path:
        """Returns where a file's bad records lie."""
        return self.folder / _WORK / f"rejects-{file.index:05d}.jsonl"


def _audited(
    stage: ConvertLog, files: Sequence[LogFile], max_rejected: float
) -> Balance:
    reports = [LogReport.load(stage.report_path(file)) for file in files]
    reasons: Counter[str] = Counter()
    for report in reports:
        if report.failure is not None:
            raise report.failure.error
        check_written(report.files)
        reasons.update(report.rejected)
    balance = Balance(
        records=sum(report.records for report in reports),
        without_items=sum(report.without_items for report in reports),
        rejected=dict(reasons.most_common()),
        impressions=sum(report.impressions for report in reports),
    )
    if reasons.total() > max_rejected * balance.records:
        top = reasons.most_common(_TOP_REASONS)
        listed = "; ".join(f"{n:,} x {why}" for why, n in top)
        raise DataError(
            f"{reasons.total():,} of {balance.records:,} records rejected, more than "
            f"--max-rejected {max_rejected}: {listed}; leave files out or raise it"
        )
    return balance


def _collect_rejects(stage: ConvertLog, files: Sequence[LogFile]) -> None:
    with atomic_file(stage.folder / REJECTS) as collected:
        for file in files:
            collected.write(stage.rejects_path(file).read_bytes())
