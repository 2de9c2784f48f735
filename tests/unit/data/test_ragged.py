import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.data.ragged import padded

ROWS = st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=6)


@given(ROWS, st.none() | st.integers(0, 7))
def test_each_row_keeps_its_first_values(rows, longest):
    splits = np.cumsum([0, *map(len, rows)])
    values = np.array([value for row in rows for value in row], np.int32)
    width = max(map(len, rows), default=0) if longest is None else longest
    table = padded(splits, values, -1, longest=longest)
    assert table.dtype == np.int32
    assert table.shape == (len(rows), width)
    expected = [(row + [-1] * width)[:width] for row in rows]
    assert table.tolist() == expected


def test_texts_are_padded_too():
    ids = np.array([b"a", b"b", b"c"], object)
    assert padded(np.array([0, 2, 3]), ids, b"").tolist() == [[b"a", b"b"], [b"c", b""]]
