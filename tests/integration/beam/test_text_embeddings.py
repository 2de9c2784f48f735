"""The embedding job against a plain loop: one text at a time through the encoder."""

import random
import signal
import subprocess
import sys
import time
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from beam import embedding as stage_module
from beam.text_embeddings import embed_texts
from beam.text_encoder import TextEncoder
from tests.text_dataset import write_dataset
from tests.tiny_encoder import write_encoder, write_faulty
from tfrs_app.contract.artifacts import Layout, exclusive, read_manifest, verify
from tfrs_app.contract.errors import ArtifactError, ConfigError, DataError
from tfrs_app.data.text_embeddings import TextEmbeddings
from tfrs_app.layers import saved_encoder

ROOT = Path(__file__).parents[3]
ODD = [
    "", None, " ", "same", "same", "Same", "ünïcödé", "unicode", "漢字かな交じり文",
    "🍎🍏 apple", "e\u0301 is not \u00e9", "\u00e9", "a\nb", "word " * 600, "x" * 5000,
]  # fmt: skip


def made_texts(count, seed=1):
    """Odd texts, then texts of one to forty words, some of them twice."""
    dice = random.Random(seed)
    words = [f"w{n}" for n in range(500)]
    made = [" ".join(dice.choices(words, k=dice.randint(1, 40))) for _ in range(count)]
    return [*ODD, *made, *made[: count // 3]]


@pytest.fixture(scope="module")
def handle(tmp_path_factory):
    return write_encoder(tmp_path_factory.mktemp("encoder") / "tiny")


@pytest.fixture(scope="module")
def encode_alone(handle):
    """The oracle: the vector of a text that is alone in its batch."""
    model = tf.saved_model.load(handle)
    return cache(lambda text: model(tf.constant([text or ""])).numpy()[0])


@pytest.fixture
def layout(tmp_path):
    return Layout(root=tmp_path / "shop")


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(stage_module, "TEXTS_A_TASK", 64)
    monkeypatch.setattr(stage_module, "TEXTS_A_STEP", 16)


def embedded(dataset, handle, layout, flags=()):
    folder = embed_texts(dataset, TextEncoder.named(handle), layout, flags)
    verify(folder)
    return TextEmbeddings.open(folder), read_manifest(folder).counts


def assert_right(found, texts, encode_alone):
    for feature, column in texts.items():
        assert found.rows[feature].dtype == np.int32
        expected = np.stack([encode_alone(text) for text in column])
        np.testing.assert_allclose(found.of(feature), expected, atol=1e-5)


def results(layout):
    """The folders that count as text embeddings."""
    manifests = layout.root.glob("text_embeddings/*/manifest.json")
    return [path.parent for path in manifests]


def cache_files(layout):
    return sorted(layout.root.glob("text_cache/*/*.arrow"))


def test_every_item_has_the_vector_of_its_text(tmp_path, handle, layout, encode_alone):
    titles = made_texts(3000)
    texts = {"title": titles, "words": [titles[-1], *titles[:-1]]}
    found, counts = embedded(write_dataset(tmp_path / "d", texts), handle, layout)
    distinct = {text or "" for text in titles}
    assert found.vectors.shape == (len(distinct), 6)
    assert found.vectors.dtype == np.float32
    assert (found.dim, found.items) == (6, len(titles))
    assert counts == {
        "items": len(titles),
        "texts": len(distinct),
        "embedded": len(distinct),
        "from_cache": 0,
        "dim": 6,
        "features": ["title", "words"],
    }
    assert_right(found, texts, encode_alone)
    assert len(cache_files(layout)) == 2  # 2,048 texts each
    (folder,) = results(layout)
    assert sorted(read_manifest(folder).files) == [
        "encoder.json", "rows/title.npy", "rows/words.npy", "vectors.npy",
    ]  # fmt: skip
    left = {path.name for path in folder.iterdir()}
    assert left == {"encoder.json", "rows", "vectors.npy", "manifest.json"}


def test_no_two_texts_share_a_row_and_equal_ones_do(tmp_path, handle, layout):
    found, _ = embedded(write_dataset(tmp_path / "d", {"title": ODD}), handle, layout)
    row = {}
    for text, number in zip(ODD, found.rows["title"].tolist(), strict=True):
        assert row.setdefault(text or "", number) == number
    assert sorted(row.values()) == list(range(len(found.vectors)))


def test_the_order_of_the_items_does_not_matter(tmp_path, handle, layout):
    titles = made_texts(300)
    one, _ = embedded(write_dataset(tmp_path / "a", {"title": titles}), handle, layout)
    other = Layout(root=tmp_path / "other")
    backwards = write_dataset(tmp_path / "b", {"title": titles[::-1]})
    two, _ = embedded(backwards, handle, other)
    np.testing.assert_allclose(one.of("title"), two.of("title")[::-1], atol=1e-5)


def test_the_size_of_batches_does_not_matter(
    tmp_path, handle, layout, encode_alone, small_batches
):
    texts = {"title": made_texts(300)}
    found, _ = embedded(write_dataset(tmp_path / "d", texts), handle, layout)
    assert_right(found, texts, encode_alone)
    assert len(cache_files(layout)) > 4


def test_an_encoder_that_tells_lengths_gets_texts_of_one_length(
    tmp_path, layout, small_batches, monkeypatch
):
    counting = write_encoder(tmp_path / "counting", tells_lengths=True)
    steps, ask = [], TextEncoder.vectors
    monkeypatch.setattr(
        TextEncoder,
        "vectors",
        lambda self, texts: steps.append(list(texts)) or ask(self, texts),
    )
    texts = {"title": made_texts(300)}
    found, _ = embedded(write_dataset(tmp_path / "d", texts), counting, layout)
    model = tf.saved_model.load(counting)
    alone = cache(lambda text: model(tf.constant([text or ""])).numpy()[0])
    assert_right(found, texts, alone)
    words = [[len(text.split()) for text in step] for step in steps]
    assert all(counts == sorted(counts, reverse=True) for counts in words)
    falling = sum(one[-1] >= other[0] for one, other in pairwise(words))
    assert falling >= 3 * len(words) // 4 - 1  # all but where a batch of four begins


def test_one_item_without_any_text(tmp_path, handle, layout, encode_alone):
    texts = {"title": [None]}
    found, counts = embedded(write_dataset(tmp_path / "d", texts), handle, layout)
    assert counts["texts"] == 1
    assert_right(found, texts, encode_alone)


def test_a_second_run_changes_nothing(tmp_path, handle, layout, capfd):
    dataset = write_dataset(tmp_path / "d", {"title": ODD})
    embedded(dataset, handle, layout)
    files = {p: p.stat().st_mtime_ns for p in layout.root.rglob("*") if p.is_file()}
    capfd.readouterr()
    embedded(dataset, handle, layout)
    told = capfd.readouterr().err
    assert told.startswith(f"text embeddings unchanged: {layout.root}")
    assert files == {p: p.stat().st_mtime_ns for p in files}


@pytest.fixture
def encoded_texts(monkeypatch):
    """What the encoder was asked for."""
    asked = []
    ask = TextEncoder.vectors

    def vectors(self, texts):
        asked.extend(texts)
        return ask(self, texts)

    monkeypatch.setattr(TextEncoder, "vectors", vectors)
    return asked


def test_only_new_texts_are_embedded(
    tmp_path, handle, layout, encode_alone, encoded_texts, capfd
):
    old = {"title": made_texts(200)}
    embedded(write_dataset(tmp_path / "old", old), handle, layout)
    assert len(encoded_texts) == len({text or "" for text in old["title"]})
    encoded_texts.clear()
    capfd.readouterr()
    titles = ["new one", *old["title"][::2], "Neu"]
    new = {"title": titles, "words": ["Neu"] * len(titles)}
    found, counts = embedded(write_dataset(tmp_path / "new", new), handle, layout)
    assert sorted(encoded_texts) == [b"Neu", b"new one"]
    assert (counts["embedded"], counts["texts"] - counts["from_cache"]) == (2, 2)
    assert_right(found, new, encode_alone)
    told = capfd.readouterr().err
    assert f"{len(found.vectors) - 2:,} from the cache, 2 embedded" in told


def test_another_encoder_shares_nothing(tmp_path, handle, layout):
    dataset = write_dataset(tmp_path / "d", {"title": ODD})
    one, _ = embedded(dataset, handle, layout)
    wider = write_encoder(tmp_path / "wider", dim=7)
    two, counts = embedded(dataset, wider, layout)
    assert counts["from_cache"] == 0
    assert (one.dim, two.dim) == (6, 8)
    assert one.fingerprint != two.fingerprint
    assert len(results(layout)) == 2


@pytest.mark.slow
def test_processes_of_the_local_runner(tmp_path, handle, layout, encode_alone):
    texts = {"title": made_texts(5000)}
    dataset = write_dataset(tmp_path / "d", texts)
    mode = ["--direct_running_mode=multi_processing", "--direct_num_workers=2"]
    found, _ = embedded(dataset, handle, layout, mode)
    alone, _ = embedded(dataset, handle, Layout(root=tmp_path / "alone"))
    np.testing.assert_allclose(found.vectors, alone.vectors, atol=1e-5)
    expected = np.stack([encode_alone(text) for text in texts["title"][:300]])
    np.testing.assert_allclose(found.of("title")[:300], expected, atol=1e-5)


SLOW_JOB = """
import sys, time
from pathlib import Path
from beam import embedding
from beam.text_embeddings import embed_texts
from beam.text_encoder import TextEncoder
from tfrs_app.contract.artifacts import Layout

embedding.TEXTS_A_TASK = 64
fast = TextEncoder.vectors
def slow(self, texts):
    time.sleep(0.2)
    return fast(self, texts)
TextEncoder.vectors = slow
dataset, handle, root = sys.argv[1:]
embed_texts(Path(dataset), TextEncoder.named(handle), Layout(root=Path(root)))
"""


def test_what_a_killed_job_had_finished_is_kept(
    tmp_path, handle, layout, encode_alone, encoded_texts
):
    texts = {"title": made_texts(1500)}
    dataset = write_dataset(tmp_path / "d", texts)
    command = [sys.executable, "-c", SLOW_JOB, str(dataset), handle, str(layout.root)]
    job = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 120
    while len(cache_files(layout)) < 2 and job.poll() is None:
        assert time.monotonic() < deadline, "the job does not get so far"
        time.sleep(0.01)
    job.kill()
    _, errors = job.communicate()
    assert job.returncode == -signal.SIGKILL, errors.decode()
    finished = len(cache_files(layout))
    assert not results(layout)
    found, counts = embedded(dataset, handle, layout)
    assert counts["from_cache"] == 64 * finished > 0
    assert len(encoded_texts) == counts["embedded"] == counts["texts"] - 64 * finished
    assert_right(found, texts, encode_alone)
    assert not list(layout.root.glob("text_embeddings/.*.partial"))


@pytest.mark.parametrize("damage", ["torn", "empty", "flipped"])
def test_a_damaged_cache_file_is_told_and_made_up_for(
    tmp_path, handle, layout, encode_alone, capfd, damage, small_batches
):
    texts = {"title": made_texts(200)}
    dataset = write_dataset(tmp_path / "d", texts)
    embedded(dataset, handle, layout)
    path = cache_files(layout)[1]
    content = path.read_bytes()
    flipped = bytes([content[-500] ^ 1])
    wrong = {
        "torn": content[: len(content) // 2],
        "empty": b"",
        "flipped": content[:-500] + flipped + content[-499:],
    }
    path.write_bytes(wrong[damage])
    (results(layout)[0] / "manifest.json").unlink()
    capfd.readouterr()
    found, counts = embedded(dataset, handle, layout)
    told = capfd.readouterr().err
    assert f"{path}: is damaged and was deleted; the texts of that file are" in told
    assert counts["embedded"] in (64, counts["texts"] % 64)
    assert_right(found, texts, encode_alone)


def test_a_damaged_result_is_made_again_from_the_cache(tmp_path, handle, layout):
    dataset = write_dataset(tmp_path / "d", {"title": ODD})
    embedded(dataset, handle, layout)
    (folder,) = results(layout)
    with (folder / "vectors.npy").open("r+b") as file:
        file.truncate(100)
    with pytest.raises(ArtifactError, match="changed since it was written"):
        TextEmbeddings.open(folder)
    _, counts = embedded(dataset, handle, layout)
    assert counts["embedded"] == 0


def test_two_jobs_do_not_write_one_cache(tmp_path, handle, layout):
    dataset = write_dataset(tmp_path / "d", {"title": ODD})
    encoder = TextEncoder.named(handle)
    with (
        exclusive(layout.text_cache(encoder.record.fingerprint)),
        pytest.raises(ArtifactError, match="another process is writing it"),
    ):
        embed_texts(dataset, encoder, layout)
    embed_texts(dataset, encoder, layout)


FAULTS = {
    "nan": r"gives 1 of \d+ texts a vector with NaN or infinity, the first for 'Old'",
    "width": r"gives vectors of widths \[12, 16\]; name an encoder that gives every",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_vectors_that_cannot_be_used_are_refused(
    tmp_path, layout, fault, small_batches
):
    titles = ["Old", *(f"{n:0200d}" for n in range(59))]
    titles += [f"{n:04d}" for n in range(192)]  # the last batch: 16, 16, 16, 12
    dataset = write_dataset(tmp_path / "d", {"title": titles})
    faulty = write_faulty(tmp_path / "faulty", fault)
    with pytest.raises(DataError, match=rf"text.encoder: {faulty} {FAULTS[fault]}"):
        embedded(dataset, faulty, layout)
    assert not results(layout)
    assert not list(layout.root.glob("text_embeddings/.*.partial"))


def test_an_encoder_that_does_not_embed_is_told_once_for_all_batches(
    tmp_path, layout, small_batches, monkeypatch
):
    opened, open_encoder = [], saved_encoder.open_encoder
    monkeypatch.setattr(
        saved_encoder,
        "open_encoder",
        lambda *given: opened.append(given) or open_encoder(*given),
    )
    titles = [f"{n:04d}" for n in range(640)]
    dataset = write_dataset(tmp_path / "d", {"title": titles})
    faulty = write_faulty(tmp_path / "faulty", "flat")
    with pytest.raises(ConfigError, match=r"gives shape \(2,\) for 2 texts"):
        embedded(dataset, faulty, layout)
    assert len(opened) == 1


def test_a_worker_with_another_encoder_says_so(tmp_path, handle, layout):
    dataset = write_dataset(tmp_path / "d", {"title": ODD})
    record = TextEncoder.named(handle).record
    other = TextEncoder(record.model_copy(update={"fingerprint": "0" * 64}))
    with pytest.raises(DataError, match="a worker finds another encoder under"):
        embed_texts(dataset, other, layout)


def test_skipped_work_is_our_error(tmp_path, handle, layout, monkeypatch):
    dataset = write_dataset(tmp_path / "d", {"title": ODD})
    monkeypatch.setattr(stage_module.Embedding, "embed", lambda self, batch: None)
    with pytest.raises(RuntimeError, match="the runner skipped work without an error"):
        embedded(dataset, handle, layout)


def test_a_full_disk_is_told(tmp_path, handle, layout, monkeypatch):
    def fails(*_):
        raise OSError(28, "No space left on device")

    dataset = write_dataset(tmp_path / "d", {"title": ODD})
    monkeypatch.setattr(stage_module, "write_vectors", fails)
    monkeypatch.setattr("beam.prepare._LEAST_FREE_BYTES", 1 << 62)
    with pytest.raises(DataError, match="the disk is full; free some space"):
        embedded(dataset, handle, layout)


def test_a_dataset_without_texts_is_refused(tmp_path, handle, layout):
    with pytest.raises(ConfigError, match="none has role candidate and kind text"):
        embedded(write_dataset(tmp_path / "bare", {}), handle, layout)


def test_what_is_no_dataset_is_refused(tmp_path, handle, layout):
    with pytest.raises(ArtifactError, match="absent or unfinished"):
        embedded(tmp_path / "none", handle, layout)
    embedded(write_dataset(tmp_path / "d", {"title": ODD}), handle, layout)
    (folder,) = results(layout)
    with pytest.raises(ArtifactError, match="is a text_embeddings, not a dataset"):
        embedded(folder, handle, layout)
