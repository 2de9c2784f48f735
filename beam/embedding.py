"""The text embedding stage: `Create(batches) | ParDo(embed and write)`.

Texts are sorted by length before they are cut into batches, and in each batch by the
length that the encoder sees, because a step costs what its longest text costs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.options.pipeline_options import PipelineOptions

from beam.failures import Failure, failure_of
from beam.reports import Report
from beam.runners import linear_pipeline
from beam.sinks import read_table, write_table
from beam.text_encoder import TextEncoder, check_one_width
from beam.vector_cache import write_vectors
from beam.written import check_shared, check_written, recorded
from tfrs_app.contract.artifacts import FileRecord
from tfrs_app.contract.errors import UserError

TEXTS_A_TASK = 2048
"""What is lost at most, for each worker, when a job is killed."""
TEXTS_A_STEP = 128


class EmbeddedReport(Report):
    """Tells how many texts of a batch were embedded, and the file of their vectors."""

    texts: int
    files: dict[Path, FileRecord]


class FailureReport(Report):
    """Tells which mistake of the user stopped the work."""

    failure: Failure


@dataclass(frozen=True)
class Embedding:
    """Embeds batches of texts into the cache.

    Args:
        encoder: of the texts.
        work: folder of the texts to embed, and of the reports.
        cache: folder of the vectors.
    """

    encoder: TextEncoder
    work: Path
    cache: Path

    def embed(self, batch: int) -> None:
        """Embeds a batch of texts and reports it; a user's mistake is reported too."""
        if self.failure_path.exists():
            return
        try:
            report = self._embedded(batch)
        except UserError as error:
            FailureReport(failure=failure_of(error)).save(self.failure_path)
        else:
            report.save(self.report_path(batch))

    def _embedded(self, batch: int) -> EmbeddedReport:
        table = read_batch(self.work, batch)
        texts = table.column("text").cast(pa.large_binary()).to_pylist()
        order = self.encoder.longest_first(texts)
        steps = [
            self.encoder.vectors([texts[place] for place in places])
            for places in np.split(order, range(TEXTS_A_STEP, len(order), TEXTS_A_STEP))
        ]
        check_one_width(steps, self.encoder.record.handle)
        keys = table.column("key").take(pa.array(order))
        path = write_vectors(self.cache, keys, np.concatenate(steps))
        return EmbeddedReport(texts=len(texts), files=recorded(path))

    def texts_done(self) -> int:
        """Returns how many texts the finished batches hold."""
        paths = self.work.glob("embedded-*.json")
        return sum(EmbeddedReport.load(path).texts for path in paths)

    def report_path(self, batch: int) -> Path:
        """Returns where a batch's report lies."""
        return self.work / f"embedded-{batch:06d}.json"

    @property
    def failure_path(self) -> Path:
        """Returns where the report of a failure lies."""
        return self.work / "failure.json"


class EmbedTexts(beam.DoFn):
    """Embeds one batch of texts."""

    def __init__(self, embedding: Embedding) -> None:
        self.embedding = embedding

    def process(self, batch: int) -> Iterator[int]:
        """Yields the batch's number."""
        check_shared(self.embedding.work)
        self.embedding.embed(batch)
        yield batch


def run_embedding(
    embedding: Embedding, batches: int, texts: int, options: PipelineOptions
) -> list[Path]:
    """Embeds all batches and returns the files of vectors that workers wrote.

    Raises:
        UserError: the encoder's vectors can't be used, or a worker's version differs.
        RuntimeError: the runner skipped work, or a file is not as reported.
    """
    with linear_pipeline(options) as pipeline:
        (
            pipeline
            | "Batches" >> beam.Create(range(batches))
            | "Embed" >> beam.ParDo(EmbedTexts(embedding)).with_output_types(int)
        )
    if embedding.failure_path.exists():
        raise FailureReport.load(embedding.failure_path).failure.error
    reports = [EmbeddedReport.load(embedding.report_path(i)) for i in range(batches)]
    for report in reports:
        check_written(report.files)
    embedded = sum(report.texts for report in reports)
    if embedded != texts:
        raise RuntimeError(f"text embedding: {embedded} of {texts} texts were embedded")
    return [path for report in reports for path in report.files]


def write_batches(work: Path, keys: Any, texts: Any) -> int:
    """Writes texts for the workers, the longest first, and returns the batches."""
    table = pa.table({"key": keys, "text": texts})
    lengths = pc.binary_length(texts.cast(pa.large_binary()))
    order = np.argsort(-lengths.to_numpy(), kind="stable")
    table = table.take(pa.array(order)).combine_chunks()
    starts = range(0, len(table), TEXTS_A_TASK)
    for batch, start in enumerate(starts):
        write_table(_batch_path(work, batch), table.slice(start, TEXTS_A_TASK))
    return len(starts)


def read_batch(work: Path, batch: int) -> Any:
    """Reads a batch of texts and their keys."""
    return read_table(_batch_path(work, batch)).combine_chunks()


def _batch_path(work: Path, batch: int) -> Path:
    return work / f"texts-{batch:06d}.arrow"
