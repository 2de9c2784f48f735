"""Split dates and batch sizes, by the events' moments."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.cli.init.event_types import known_type, type_of_file, types_of
from tfrs_app.cli.init.log import batch_size_of, split_of
from tfrs_app.contract.errors import DataError

DAY = 86_400
JANUARY = int(datetime(2024, 1, 1, 12, tzinfo=UTC).timestamp())


def daily(days, each=1):
    return np.repeat(JANUARY + DAY * np.arange(days), each)


def test_a_tenth_is_tested_and_a_tenth_validates():
    split = split_of(daily(100))
    assert (split.validation_start, split.test_start) == (
        date(2024, 3, 21),
        date(2024, 3, 31),
    )
    assert "10 of 100 days to test" in split.why


def test_one_odd_clock_does_not_move_the_split():
    odd = np.sort(np.concatenate([daily(100, 100), [0, 4_000_000_000]]))
    assert split_of(odd).test_start == split_of(daily(100, 100)).test_start


def test_a_week_is_too_short():
    with pytest.raises(DataError, match=r"7 day\(s\).* needs 10 at least"):
        split_of(daily(7))


@given(st.integers(10, 2000), st.integers(0, DAY - 1))
def test_each_span_has_days_of_its_own(days, offset):
    seconds = daily(days) - DAY // 2 + offset
    split = split_of(seconds)
    midnights = [
        datetime.combine(day, datetime.min.time(), UTC).timestamp()
        for day in (split.validation_start, split.test_start)
    ]
    train, validation = np.searchsorted(seconds, midnights)
    assert 0 < train < validation < days
    assert train >= 0.7 * days


@pytest.mark.parametrize(
    ("events", "size"), [(10, 64), (600, 64), (5_000, 512), (40_000, None)]
)
def test_few_events_make_small_batches(events, size):
    seconds = np.sort(JANUARY + np.arange(events) % DAY)
    assert batch_size_of(seconds, date(2024, 6, 1)) == size


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("view_item", "view"), ("PageView", "view"), ("add-to-cart", "cart"),
        ("Purchase", "purchase"), ("Kauf", "purchase"), ("Warenkorb", "cart"),
        ("Ansicht", "view"), ("addToWishlist", "wishlist"), ("refund", None),
        ("", None),
    ],
)  # fmt: skip
def test_event_types_are_known_in_two_languages(value, kind):
    assert known_type(value) == kind


def test_types_are_weighted_and_unknown_ones_left_out():
    types = types_of(["purchase", "Klick", "in den Warenkorb", "refund"])
    assert types.weights == {"view": 0.1, "cart": 0.5, "purchase": 1.0}
    assert types.values == {
        "Klick": "view", "in den Warenkorb": "cart", "refund": None,
    }  # fmt: skip
    assert types.why == "unknown: refund"


def test_a_file_without_types_holds_what_its_name_says():
    assert type_of_file("logs/product-views.csv.gz") == "view"
    assert type_of_file("views/orders.csv") == "purchase"
