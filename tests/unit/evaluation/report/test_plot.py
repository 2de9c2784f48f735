from hypothesis import given
from hypothesis import strategies as st

from tfrs_app.evaluation.report.plot import Plot, decades, linear

SHARES = st.lists(st.floats(1e-9, 1.0), min_size=1, max_size=6)


@given(SHARES)
def test_values_lie_within_their_axis(values):
    for axis in (linear("x", values), decades("x", values)):
        assert list(axis.ticks) == sorted(set(axis.ticks))
        assert 2 <= len(axis.ticks) <= 12
        assert axis.ticks[0] <= min(values) * (1 + 1e-6)
        assert axis.ticks[-1] >= max(values) * (1 - 1e-6)
        assert axis.place(axis.ticks[0]) == 0
        assert axis.place(axis.ticks[-1]) == 1


def test_ticks_are_round():
    assert linear("x", [0.318, 0.357]).ticks == [0.31, 0.32, 0.33, 0.34, 0.35, 0.36]
    assert linear("x", [0.2]).ticks[0] <= 0.2
    assert decades("x", [0.0, 0.002, 0.3]).ticks == [0.001, 0.01, 0.1, 1.0]
    assert decades("x", [0.0]).ticks == [0.1, 1.0]
    assert linear("x", []).ticks[-1] == 1.0


def test_places_are_those_of_the_axes():
    plot = Plot(linear("a < b", [0.0, 4.0]), decades("y", [0.01, 1.0]))
    drawn = plot.line([(0.0, 0.01), (4.0, 1.0), (2.0, 0.1)], "m0")
    assert 'points="48.0,254.0 378.0,22.0 213.0,138.0"' in drawn
    assert "a &lt; b" in plot.svg("t & t", [drawn])
    assert 'aria-label="t &amp; t"' in plot.svg("t & t", [])
