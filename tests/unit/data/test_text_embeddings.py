import json

import numpy as np
import pytest

from tfrs_app.contract.artifacts import write_manifest
from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.text_embeddings import text_embeddings_identity
from tfrs_app.data.text_embeddings import TextEmbeddings

VECTORS = [[0.5, 1.0, 1.5], [2.0, 2.5, 3.0]]


def written(folder, kind="text_embeddings"):
    (folder / "rows").mkdir(parents=True)
    np.save(folder / "vectors.npy", np.array(VECTORS, np.float32))
    np.save(folder / "rows" / "title.npy", np.array([1, 0, 1, 1], np.int32))
    np.save(folder / "rows" / "words.npy", np.array([0, 0, 0, 0], np.int32))
    encoder = {"handle": "x", "preprocessor": None, "fingerprint": "f"}
    (folder / "encoder.json").write_text(json.dumps(encoder))
    write_manifest(
        folder,
        kind=kind,
        identity="i",
        parent="d",
        spec_fingerprint="s",
        counts={"features": ["title", "words"]},
    )
    return folder


def test_each_item_finds_its_vector(tmp_path):
    found = TextEmbeddings.open(written(tmp_path / "t"))
    assert (found.dim, found.items, found.fingerprint) == (3, 4, "f")
    assert found.vectors.dtype == np.float32
    assert found.rows_of("title").tolist() == [1, 0, 1, 1]
    assert found.rows_of("title").dtype == np.int32
    assert found.of("title").tolist() == [VECTORS[n] for n in (1, 0, 1, 1)]
    assert found.of("words").shape == (4, 3)
    assert list(found.rows) == ["title", "words"]


def test_nobody_changes_the_vectors_by_mistake(tmp_path):
    found = TextEmbeddings.open(written(tmp_path / "t"))
    with pytest.raises(ValueError, match="read-only"):
        found.vectors[0, 0] = 1
    found.of("title")[0, 0] = 1  # a copy


def test_an_unknown_feature_is_refused(tmp_path):
    found = TextEmbeddings.open(written(tmp_path / "t"))
    with pytest.raises(ArtifactError, match=r"hold no feature 'titel', only \['title'"):
        found.of("titel")


def test_what_is_no_text_embeddings_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="absent or unfinished"):
        TextEmbeddings.open(tmp_path)
    with pytest.raises(ArtifactError, match="is a dataset, not text embeddings"):
        TextEmbeddings.open(written(tmp_path / "d", kind="dataset"))


@pytest.mark.parametrize("name", ["vectors.npy", "rows/words.npy", "encoder.json"])
def test_a_changed_file_is_refused(tmp_path, name):
    folder = written(tmp_path / "t")
    with (folder / name).open("ab") as file:
        file.write(b" ")
    with pytest.raises(ArtifactError, match=f"{name}: changed since it was written"):
        TextEmbeddings.open(folder)


def test_the_id_tells_dataset_encoder_and_features_apart():
    def identity(dataset="d", encoder="e", features=("a", "b")):
        return text_embeddings_identity(dataset, encoder, features)

    assert identity() == identity(features=("b", "a"))
    others = {identity(dataset="x"), identity(encoder="x"), identity(features=("a",))}
    assert len({identity(), *others}) == 4
