import itertools
import math
import re

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evaluation.report.documents import metrics
from tfrs_app.evaluation.report.curve import recall_curve, spread
from tfrs_app.evaluation.report.measured import Measured
from tfrs_app.evaluation.report.rows import (
    bar,
    dot,
    level,
    rounded_up,
    stacked,
    whisker,
)


@given(st.floats(1e-12, 1e12))
def test_the_end_of_an_axis_is_little_above_the_greatest_value(value):
    top = rounded_up(value)
    assert value <= top * (1 + 1e-8)
    assert top <= value * 1.5 * (1 + 1e-8)


def test_ends_of_axes_are_round():
    assert [rounded_up(v) for v in (0.0481, 0.3, 0.07, 1.0, 9.1, 23)] == [
        0.05, 0.3, 0.08, 1.0, 10.0, 30.0,
    ]  # fmt: skip
    assert rounded_up(0) == 1.0


@given(
    st.lists(st.floats(0, 100), min_size=1, max_size=30),
    st.floats(0.5, 20),
)
def test_names_are_moved_apart_within_bounds_and_keep_their_order(wanted, gap):
    found = spread(wanted, gap, 0, 100)
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in found)
    possible = min(gap, 100 / max(len(wanted) - 1, 1))
    ordered = sorted(found)
    assert all(
        after - before >= possible - 1e-6
        for before, after in itertools.pairwise(ordered)
    )
    for one, its in zip(wanted, found, strict=True):
        for other, others in zip(wanted, found, strict=True):
            assert not (one < other and its > others)


def test_names_that_are_far_apart_stay():
    assert spread([70, 10, 40], 12, 0, 100) == [70, 10, 40]


def test_marks_lie_where_their_numbers_are():
    assert 'x1="25.00"' in dot(0.05, 0.2)
    assert 'x2="25.00"' in dot(0.05, 0.2)
    assert 'x1="10.00" y1="10" x2="50.00" y2="10"' in whisker([0.02, 0.1], 0.2)
    assert 'x1="50.00" y1="0" x2="50.00" y2="20"' in level(0.1, 0.2)
    assert 'width="50.00"' in bar(5, 10)


def test_nothing_is_drawn_for_what_is_no_number():
    assert dot(math.nan, 1) == bar(math.nan, 1) == level(math.inf, 1) == ""
    assert whisker([0.1, math.nan], 1) == ""


def test_parts_of_a_stack_follow_each_other():
    parts = stacked([0.5, 0.2, 0.3], ["a", "b<", "c"])
    places = [re.findall(r'(?:x|width)="([\d.]+)"', part) for part in parts]
    assert places == [["0.00", "50.00"], ["50.00", "20.00"], ["70.00", "30.00"]]
    assert "<title>b&lt;</title>" in parts[1]


def test_the_curve_rises_with_the_numbers_on_a_logarithmic_axis():
    text = recall_curve(Measured(metrics()), "all")
    lines = dict(
        re.findall(
            r"<g [^>]*><title>([^<]+)</title><polyline points=\"([^\"]+)\"", text
        )
    )
    assert list(lines) == ["popular", "retrieval", "item knn"]
    points = [
        [float(part) for part in point.split(",")]
        for point in lines["retrieval"].split()
    ]
    (x1, y1), (x10, y10), (x100, y100) = points
    assert x10 - x1 == x100 - x10  # 1, 10, 100: equal steps
    # Recalls are 0.1357 / 7, 0.1357 / 6 and 0.1357: heights above the axis at 264.
    heights = [264 - y for y in (y1, y10, y100)]
    assert abs(heights[2] / heights[0] - 7) < 0.05
    assert abs(heights[2] / heights[1] - 6) < 0.05
