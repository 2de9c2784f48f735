import dataclasses
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.little_shop import DAY, ITEMS, T0
from tfrs_app.data.text_embeddings import TextEmbeddings
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.retrieval import RetrievalModel


def test_the_catalogue_is_looked_up_and_leaves_texts_out(little_encoded):
    catalogue = little_encoded.catalogue
    assert set(catalogue) == {"item_id", "colour", "size"}
    assert catalogue["item_id"].tolist() == [2, 3, 4, 5, 6]
    # red is the most frequent colour; one is missing and one is called "[UNK]".
    assert catalogue["colour"].tolist() == [2, 0, 4, 2, 3]
    np.testing.assert_array_equal(catalogue["size"], [1.5, np.nan, 2.5, 4.0, 8.0])


def test_the_reader_cuts_looked_up_queries(little_encoded):
    log = little_encoded.dataset.events
    user = log.user_id.tolist().index(b"ann")
    start = int(log.row_splits[user])
    vector = np.array([[user], [start + 4], [T0], [start + 1]])
    query = little_encoded.reader(3)(*vector)
    assert query["history_item_id"].numpy().tolist() == [[2, 4, 2]]
    assert query["history_event_type"].numpy().tolist() == [[3, 3, 3]]
    assert query["history_timestamp"].numpy().tolist() == [
        [T0 + DAY, T0 + DAY, T0 + 10 * DAY]
    ]
    vocabulary = little_encoded.dataset.vocabularies["store"]
    assert query["store"].numpy().tolist() == [2 + vocabulary.index("north")]
    assert query["age"].numpy().tolist() == [30.0]


VOCABULARIES = {
    "all": ["apple", "bread", "cheese", "date", "egg"],
    "rare items": ["cheese", "apple"],
    "none": [],
    # What a dataset holds that was continued after two items had gone.
    "gone items": ["egg", "[REMOVED 1]", "apple", "[REMOVED 3]", "cheese"],
}
NAMES = sorted(item["item_id"] for item in ITEMS)
TEXTS = TextEmbeddings(
    np.ones((3, 2), np.float32), {"title": np.array([2, 0, 1, 2, 0], np.int32)}, "made"
)


@pytest.fixture
def encoded_with(little_encoded, tmp_path):
    """The little shop with another vocabulary of items."""

    def made(vocabulary, texts=TEXTS):
        dataset = little_encoded.dataset
        folder = tmp_path / "dataset"
        shutil.copytree(dataset.folder, folder)
        lines = "".join(token + "\n" for token in vocabulary)
        (folder / "vocabularies" / "item_id.txt").write_text(lines)
        return EncodedDataset.of(dataclasses.replace(dataset, folder=folder), texts)

    return made


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES)
def test_content_is_found_by_the_index_of_its_item(encoded_with, vocabulary):
    encoded = encoded_with(vocabulary)
    others = [name for name in NAMES if name not in vocabulary]
    indices = ["", "unknown", *vocabulary, *others]
    looked_up = encoded.lookup({"item_id": tf.constant(indices)})["item_id"].numpy()
    assert looked_up.tolist() == list(range(len(indices)))
    content = encoded.content_by_index
    assert sorted(content) == ["colour", "size", "title"]
    assert {len(values) for values in content.values()} == {len(indices)}
    for index, name in enumerate(indices):
        found = {column: values[index] for column, values in content.items()}
        if name not in NAMES:
            assert (found["colour"], found["title"]) == (0, len(TEXTS.vectors))
            assert np.isnan(found["size"])
            continue
        row = NAMES.index(name)
        assert found["title"] == TEXTS.rows["title"][row]
        assert found["colour"] == encoded.catalogue["colour"][row]
        np.testing.assert_equal(found["size"], ITEMS[row]["size"] or np.nan)


def test_without_texts_there_is_no_text_column(encoded_with):
    content = encoded_with(VOCABULARIES["all"], None).content_by_index
    assert sorted(content) == ["colour", "size"]


@pytest.mark.parametrize("vocabulary", VOCABULARIES.values(), ids=VOCABULARIES)
def test_items_beyond_the_vocabulary_differ_by_content_alone(
    encoded_with, little_config, vocabulary
):
    encoded = encoded_with(vocabulary)
    model = RetrievalModel(encoded, little_config.retrieval)
    index = encoded.catalogue["item_id"]
    ids = model.candidate_tower.ids(tf.constant(index)).numpy()
    unknown = model.candidate_tower.ids(tf.constant([1])).numpy()[0]
    for name, vector in zip(NAMES, ids, strict=True):
        assert np.array_equal(vector, unknown) == (name not in vocabulary)
    assert len(model.candidate_tower.ids.table.get_weights()[0]) == 2 + len(vocabulary)
    embeddings = model.embed_items(tf.range(len(NAMES)), T0).numpy()
    assert len(np.unique(embeddings.round(6), axis=0)) == len(NAMES)
