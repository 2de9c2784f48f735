import numpy as np

from tests.little_shop import DAY, T0


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
