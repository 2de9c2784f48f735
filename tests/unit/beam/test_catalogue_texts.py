import numpy as np
import pyarrow as pa
import pytest

from beam.catalogue_texts import CatalogueTexts, read_catalogue_texts
from tests.text_dataset import write_dataset


def column(*chunks):
    return pa.chunked_array([pa.array(c, pa.large_string()) for c in chunks])


def test_texts_of_all_features_are_counted_once():
    found = CatalogueTexts.of(
        {"a": column(["x", None], ["y"]), "b": column(["y", "", "é"])}
    )
    assert found.texts.to_pylist() == ["x", "", "y", "é"]
    assert found.rows["a"].tolist() == [0, 1, 2]
    assert found.rows["b"].tolist() == [2, 1, 3]
    assert found.rows["a"].dtype == found.rows["b"].dtype == np.int32


@pytest.mark.parametrize("items", [1, 2, 7])
def test_rows_follow_the_catalogue(tmp_path, items):
    titles = [f"t{n % 3}" for n in range(items)]
    dataset = write_dataset(tmp_path / "d", {"title": titles, "words": [None] * items})
    manifest, found = read_catalogue_texts(dataset)
    assert manifest.id == "d"
    texts = found.texts.to_pylist()
    assert [texts[row] for row in found.rows["title"]] == titles
    assert [texts[row] for row in found.rows["words"]] == [""] * items
    assert list(found.rows) == ["title", "words"]
