import itertools
import random
import statistics
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest

from beam.statistics import merge_numbers, merge_tokens, summarise, vocabulary
from beam.tables import Column, Values

NUMBER = Column("x", Values.NUMBER)
TEXT = Column("s", Values.TEXT)


def numbers_of(values):
    table = pa.table({"x": pa.array(values, pa.float64())})
    return summarise(table, [("x", NUMBER)]).numbers["x"]


def tokens_of(values):
    table = pa.table({"s": pa.array(values, pa.large_string())})
    return summarise(table, [("s", TEXT)]).tokens["s"]


def sampled(rows, seed=0):
    random.seed(seed)
    # Multiples of 1/8 are exact in float32.
    return [
        None if random.random() < 0.1 else random.randrange(999) / 8
        for _ in range(rows)
    ]


@pytest.mark.parametrize("cuts", [(), (1,), (100, 101, 300)])
def test_moments_and_quantiles_against_plain_python(cuts):
    values = sampled(500)
    bounds = [0, *cuts, len(values)]
    parts = [numbers_of(values[a:b]) for a, b in itertools.pairwise(bounds)]
    found = merge_numbers(parts)
    present = [value for value in values if value is not None]
    assert found["count"] == len(present)
    assert found["nulls"] == len(values) - len(present)
    assert found["mean"] == pytest.approx(statistics.fmean(present))
    assert found["std"] == pytest.approx(statistics.pstdev(present))
    assert (found["min"], found["max"]) == (min(present), max(present))
    percentiles = statistics.quantiles(present, n=100, method="inclusive")
    expected = [min(present), *percentiles, max(present)]
    assert found["quantiles"] == pytest.approx(expected)


def test_a_large_shard_keeps_a_sketch(monkeypatch):
    monkeypatch.setattr("beam.statistics.SKETCH_VALUES", 1001)
    values = [v or 0.0 for v in sampled(20_000)]
    parts = [numbers_of(values[:19_000]), numbers_of(values[19_000:])]
    assert len(parts[0].ordered) == 1001
    found = merge_numbers(parts)
    exact = np.quantile(values, np.linspace(0, 1, 101))
    assert found["quantiles"] == pytest.approx(exact, abs=0.5)
    assert (found["min"], found["max"]) == (min(values), max(values))
    assert found["mean"] == pytest.approx(statistics.fmean(values))


def test_numbers_are_described_as_the_records_hold_them():
    assert numbers_of([0.1]).ordered == [float(np.float32(0.1))]


def test_no_number_has_no_moments():
    assert merge_numbers([numbers_of([None, None]), numbers_of([])]) == {
        "count": 0,
        "nulls": 2,
    }


def test_vocabulary_by_count_then_bytes():
    random.seed(1)
    values = [random.choice(["a", "B", "ä", "Z", "zz", None, "10"]) for _ in range(200)]
    values += ["rare", "two\nlines", "two\nlines", "two\u2028lines"]
    merged = merge_tokens([tokens_of(values[:50]), tokens_of(values[50:])])
    counts = Counter(value for value in values if value is not None)
    assert merged.counts == counts
    assert merged.nulls == values.count(None)
    expected = [t for t, n in counts.items() if n >= 2 and len(t.splitlines()) == 1]
    expected.sort(key=lambda token: (-counts[token], token.encode()))
    assert vocabulary(merged, 2) == expected
