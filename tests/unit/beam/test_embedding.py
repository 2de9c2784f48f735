import pyarrow as pa
import pytest

from beam.embedding import (
    EmbeddedReport,
    Embedding,
    FailureReport,
    read_batch,
    run_embedding,
    write_batches,
)
from beam.failures import failure_of
from beam.runners import pipeline_options
from beam.text_encoder import TextEncoder
from beam.vector_cache import keys_of
from beam.written import recorded
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.text_embeddings import EncoderRecord

ENCODER = TextEncoder(EncoderRecord(handle="x", preprocessor=None, fingerprint="f"))


@pytest.fixture
def stage(tmp_path):
    for name in ("work", "cache"):
        (tmp_path / name).mkdir()
    return Embedding(ENCODER, tmp_path / "work", tmp_path / "cache")


def reported(stage, batch, texts):
    """What a worker leaves of a batch; returns its file of vectors."""
    path = stage.cache / f"{batch}.arrow"
    path.write_bytes(b"vectors")
    report = EmbeddedReport(texts=texts, files=recorded(path))
    report.save(stage.report_path(batch))
    return path


def run(stage, batches, texts):
    return run_embedding(stage, batches, texts, pipeline_options(()))


@pytest.fixture(autouse=True)
def idle_workers(monkeypatch):
    monkeypatch.setattr(Embedding, "embed", lambda self, batch: None)


def test_finished_texts_are_counted(stage):
    assert stage.texts_done() == 0
    reported(stage, 0, 2048)
    reported(stage, 2, 5)
    assert stage.texts_done() == 2053


def test_the_files_that_workers_reported_are_returned(stage):
    paths = [reported(stage, batch, 2) for batch in range(2)]
    assert run(stage, 2, 4) == paths


def test_lost_texts_are_our_error(stage):
    reported(stage, 0, 2)
    with pytest.raises(RuntimeError, match="2 of 3 texts were embedded"):
        run(stage, 1, 3)


def test_skipped_batches_are_our_error(stage):
    reported(stage, 0, 2)
    with pytest.raises(RuntimeError, match="the runner skipped work"):
        run(stage, 2, 2)


def test_a_file_that_is_not_as_reported_is_our_error(stage):
    reported(stage, 0, 2).write_bytes(b"Vectors")
    with pytest.raises(RuntimeError, match="but its worker wrote"):
        run(stage, 1, 2)


def test_a_workers_failure_comes_home(stage):
    failure = failure_of(ConfigError("why"))
    FailureReport(failure=failure).save(stage.failure_path)
    with pytest.raises(ConfigError, match=r"^why$"):
        run(stage, 1, 2)


def test_batches_hold_the_longest_texts_first(tmp_path, monkeypatch):
    monkeypatch.setattr("beam.embedding.TEXTS_A_TASK", 2)
    texts = pa.array(["a", "", "ää", "bbb", "cc"], pa.large_string())
    keys = keys_of(texts)
    assert write_batches(tmp_path, keys, texts) == 3
    found = [read_batch(tmp_path, batch) for batch in range(3)]
    listed = [table.column("text").to_pylist() for table in found]
    assert listed == [["ää", "bbb"], ["cc", "a"], [""]]  # 4, 3, 2, 1, 0 bytes
    for table in found:
        column = table.column("text").combine_chunks()
        assert table.column("key").to_pylist() == keys_of(column).to_pylist()
