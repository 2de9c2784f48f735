"""Search, and embeddings of items that nobody has heard of, against plain NumPy."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from tests.integration.export.conftest import Served, tensor
from tests.little_shop import ITEMS, T0
from tests.runtime.gate import TOLERANCE, compared
from tests.runtime.mark import needs_libraries
from tests.tiny_encoder import write_encoder
from tfrs_app.contract.config import ExportConfig
from tfrs_app.data.catalogue_update import updated
from tfrs_app.data.item_changes import ItemChanges
from tfrs_app.data.text_embeddings import TextEmbeddings
from tfrs_app.export.publish import TextEncoders, build_recommender, publish
from tfrs_app.layers.text import TextEncoder
from tfrs_app.models.encoded import EncodedDataset
from tfrs_app.models.retrieval import RetrievalModel
from tfrs_app.models.updated_catalogue import towers_on, updated_dataset

LATER = T0 + 30 * 86400
NEW = {"colour": b"red", "size": 3.0, "title": b"fig Sweet"}
CONFIG = ExportConfig(index="exact", warmup_requests=0)


@pytest.fixture(scope="module")
def encoders(tmp_path_factory):
    """The towers read texts by another encoder than the catalogue's."""
    folder = tmp_path_factory.mktemp("encoders")
    return TextEncoders(
        TextEncoder(write_encoder(folder / "base", seed=1)),
        TextEncoder(write_encoder(folder / "tuned", seed=2)),
    )


def embedding(encoder):
    return lambda texts: encoder(tf.constant(list(texts))).numpy()


@pytest.fixture(scope="module")
def model(little_encoded, little_config, encoders):
    texts, rows = np.unique(
        little_encoded.dataset.catalogue["title"], return_inverse=True
    )
    base, tuned = (embedding(e) for e in encoders)
    embedded = TextEmbeddings(base(texts), {"title": rows.astype(np.int32)}, "made")
    encoded = dataclasses.replace(little_encoded, texts=embedded)
    config = little_config.retrieval.model_copy(
        update={"text_dim": 5, "text_neighbours": 2, "trend_days": (7.0,)}
    )
    tf.keras.utils.set_random_seed(3)
    made = RetrievalModel(encoded, config)
    made.embed_items(tf.range(5), T0)
    made.content.features.text.assign(tuned(texts))
    return made


@pytest.fixture(scope="module")
def served(model, encoders, tmp_path_factory):
    recommender, choice = build_recommender(
        model, model.encoded, CONFIG, None, LATER, encoders
    )
    base = tmp_path_factory.mktemp("texts") / "little"
    folder, _ = publish(
        recommender, choice, model.encoded, base, run_id="r", config=CONFIG
    )
    return Served(
        "exact",
        recommender,
        tf.saved_model.load(str(folder)),
        folder,
        recommender.exact.embeddings.numpy(),
        model.encoded.dataset.catalogue["item_id"].tolist(),
    )


def numbers(**values):
    return {name: tf.constant(value, tf.float32) for name, value in values.items()}


def embed_items(served, size, loaded=True, **inputs):
    given = {name: tensor(name, value) for name, value in inputs.items()}
    call = served.loaded.signatures if loaded else served.recommender.signatures()
    sizes = numbers(size=size)
    return call["embed_items"](**given, **sizes)["embedding"].numpy()


@pytest.mark.parametrize("loaded", [True, False])
def test_an_item_of_the_catalogue_is_embedded_as_the_index_has_it(served, loaded):
    found = embed_items(
        served,
        [9.0, 9.0],
        loaded,
        item_id=["date", "apple"],
        colour=["yellow", "yellow"],
        title=["x", "y"],
    )
    rows = [served.ids.index(b"date"), served.ids.index(b"apple")]
    np.testing.assert_allclose(found, served.items[rows], atol=1e-6)


def change(item_id, **columns):
    values = {"colour": object, "title": object, "size": np.float32}
    return ItemChanges(
        {
            "item_id": np.array([item_id], object),
            **{name: np.array([v], values[name]) for name, v in columns.items()},
        }
    )


def pushed(model, encoders, *changes):
    encoded = model.encoded
    for one in changes:
        update = updated(encoded.dataset, one)
        encoded = updated_dataset(model.encoded, update, embedding(encoders[0]))
    return towers_on(encoded, model, embedding(encoders[1]))


def test_a_new_item_is_embedded_as_when_it_is_pushed(served, model, encoders):
    moved = pushed(model, encoders, change(b"fig", **NEW))
    expected = moved.embed_catalogue(LATER)[5:]
    found = embed_items(
        served, [3.0], item_id=["fig"], colour=["red"], title=["fig Sweet"]
    )
    np.testing.assert_allclose(found, expected, atol=1e-5)
    other = embed_items(served, [3.0], item_id=["fig"], colour=["red"], title=["Old"])
    assert np.abs(other - expected).max() > 1e-3


def test_a_push_leaves_the_others_as_they_are(model, encoders):
    before = model.embed_catalogue(LATER)
    again = change(b"grape", colour=b"red", title=b"Crisp fig")
    moved = pushed(model, encoders, change(b"fig", **NEW), again)
    after = moved.embed_catalogue(LATER)
    assert after.shape[0] == 7
    np.testing.assert_allclose(after[:5], before, atol=1e-6)


def test_a_reworded_item_is_embedded_anew_and_alone(model, encoders):
    before = model.embed_catalogue(LATER)
    moved = pushed(model, encoders, change(b"egg", title=b"something else"))
    after = moved.embed_catalogue(LATER)
    changed = np.abs(after - before).max(axis=1) > 1e-4
    assert changed.tolist() == [item["item_id"] == "egg" for item in ITEMS]
    assert moved.encoded.distinct_texts[-1] == b"something else"


def cosines(model, encoders, text):
    base = embedding(encoders[0])
    query = base([text.encode()])[0]
    vectors = base(model.encoded.dataset.catalogue["title"].tolist())
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    return vectors @ query / lengths


@pytest.mark.parametrize("personal", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("history", [[], ["cheese", "egg"]])
def test_search_orders_by_words_and_liking(served, model, encoders, personal, history):
    asked = {"timestamp": [LATER]} | ({"history_item_id": [history]} if history else {})
    words = {"query": ["sweet fig"], "personal": [personal]}
    answer = served.ask("search", **words, **asked)
    query = served.ask("embed_query", **asked)["embedding"][0]
    cosine = cosines(model, encoders, "sweet fig")
    score = cosine / 0.05 + personal * served.items @ query
    order = np.argsort(-score)
    listed = [item for item in answer["item_id"][0] if item]
    assert listed == [served.ids[row] for row in order]
    np.testing.assert_allclose(answer["score"][0, :5], score[order], atol=1e-3)
    np.testing.assert_allclose(answer["relevance"][0, :5], cosine[order], atol=1e-5)


def search(served, queries, **inputs):
    answer = served.ask("search", query=queries, timestamp=[LATER], **inputs)
    return [[i.decode() for i in row if i] for row in answer["item_id"].tolist()]


def test_each_text_of_a_batch_is_searched_for_itself(served):
    texts = ["cheese Old", "", "egg Fresh", "  "]
    together = search(served, texts, personal=[0.0])
    assert together[0][0] == "cheese"
    assert together[2][0] == "egg"
    assert together[1] == together[3] == []
    alone = [search(served, [text], personal=[0.0])[0] for text in texts]
    assert together == alone


def test_one_text_is_searched_for_every_shopper_of_a_batch(served):
    histories = [["apple"], ["cheese"], ["egg"]]
    answer = search(served, ["Old"], history_item_id=histories)
    assert len(answer) == 3
    assert answer[1] == search(served, ["Old"], history_item_id=[["cheese"]])[0]


def test_search_keeps_to_filters_exclusions_and_k(served):
    assert set(search(served, ["x"])[0]) == {item["item_id"] for item in ITEMS}
    assert set(search(served, ["x"], allow_colour=[["red"]])[0]) == {"apple", "date"}
    found = search(served, ["x"], allow_colour=[["red"]], exclude=[["date"]])
    assert found == [["apple"]]
    assert len(search(served, ["x"], k=2)[0]) == 2
    assert search(served, ["x"], k=0) == [[]]


def test_without_encoders_there_is_no_search(model):
    recommender, _ = build_recommender(model, model.encoded, CONFIG, None, LATER)
    assert not {"search", "embed_items"} & set(recommender.signatures())


def test_without_texts_items_are_embedded_by_their_other_features(
    little_encoded, little_config
):
    assert isinstance(little_encoded, EncodedDataset)
    model = RetrievalModel(little_encoded, little_config.retrieval)
    recommender, _ = build_recommender(model, little_encoded, CONFIG, None, LATER)
    signatures = recommender.signatures()
    assert "search" not in signatures
    given = {"item_id": tf.constant(["fig"]), "colour": tf.constant(["red"])}
    red = signatures["embed_items"](**given, **numbers(size=[3.0]))["embedding"]
    given["colour"] = tf.constant(["yellow"])
    yellow = signatures["embed_items"](**given, **numbers(size=[3.0]))["embedding"]
    assert np.abs(red - yellow).max() > 1e-4


@pytest.mark.runtime
@needs_libraries
def test_the_published_server_reads_texts_alike(served, little_encoded):
    found = compared(served.folder, little_encoded.dataset, 3, ("tensorflow_text",))
    assert found.keys() >= {"search", "embed_items", "retrieve"}
    for name, agreement in found.items():
        assert agreement.same == agreement.rows > 0, name
        assert agreement.difference < TOLERANCE, name
