"""Sums against values that were counted by hand."""

import numpy as np
import pytest

from serving.load.record import Record, percentiles


def recorded(latencies, failures=None):
    record = Record(len(latencies))
    for number, latency in enumerate(latencies):
        kind = (failures or {}).get(number, "")
        record.add(number, number * 0.5, 0.001, latency, kind)
    return record


def test_percentiles_are_values_that_occurred():
    seconds = np.arange(1, 1001) / 1000  # 1 ms to 1,000 ms
    found = percentiles(seconds)
    assert found == pytest.approx(
        {"p50": 501, "p90": 901, "p95": 951, "p99": 991, "p99.9": 1000, "max": 1000}
    )
    assert percentiles(np.array([])) == {}
    assert set(percentiles(np.array([0.25])).values()) == {250.0}


def test_failures_do_not_count_as_fast_answers():
    record = recorded([0.1, 0.0001, 0.3, 0.2], {1: "Unavailable"})
    told = record.summary()
    assert (told["requests"], told["answered"]) == (4, 3)
    assert told["failures"] == {"Unavailable": 1}
    assert told["latency_ms"]["p50"] == pytest.approx(200)
    assert told["latency_ms"]["max"] == pytest.approx(300)
    # The last was due at 1.5 s and took .2 s.
    assert told["answered_per_s"] == pytest.approx(3 / 1.7)
    assert told["late_ms"]["max"] == pytest.approx(1.0)


def test_intervals_hold_what_was_due_in_them():
    record = recorded([0.1, 5.0, 0.3, 0.2, 0.4], {4: "ServerFault"})
    first, second, third = record.by_interval(1.0)
    assert (first["requests"], first["latency_ms"]["max"]) == (2, 5000.0)
    assert (second["from_s"], second["requests"], second["failed"]) == (1.0, 2, 0)
    assert (third["failed"], third["latency_ms"]) == (1, {})


def test_without_an_answer_there_is_no_latency():
    told = recorded([0.1], {0: "Unavailable"}).summary()
    assert (told["answered"], told["latency_ms"]) == (0, {})
