import numpy as np

from beam.activity import time_quality, user_quality

TRAIN, VALIDATION, TEST, AFTER = 1, 2, 4, 8


def test_users_are_new_if_the_test_is_where_they_begin():
    masks = [TEST, TEST | AFTER, VALIDATION | TEST, TRAIN | TEST, AFTER]
    users = np.array([1, 10, 100, 1000, 10_000])
    found = user_quality(np.array([1, 2, 2, 3, 1]), np.array(masks), users)
    assert found.new_in_test == 11
    assert found.spans == {
        "train": 1000, "validation": 100, "test": 1111, "after_test": 10_010,
    }  # fmt: skip
    assert found.with_events == 11_111
    assert found.events_a_user.low == [1, 2, 3]
    assert found.events_a_user.count == [10_001, 110, 1000]
    assert found.quantiles["0.9"] == 1
    assert found.quantiles["0.99"] == 3


def test_days_are_counted_from_the_first_to_the_last():
    hours = np.array([23, 24, 49, 120])  # Thursday, Friday twice, Saturday, Tuesday
    found = time_quality(hours, np.array([1, 2, 3, 4]), ("a", "b"))
    assert found.days == 6
    assert found.days_without_events == 2
    assert found.events_a_day == {"min": 0.0, "median": 1.5, "max": 4.0}
    assert {h: n for h, n in enumerate(found.hours_of_week) if n} == {
        3 * 24 + 23: 1, 4 * 24: 2, 5 * 24 + 1: 3, 24: 4,
    }  # fmt: skip
