"""Long steps tell that they go on, and never what would slow them down."""

import io
import re

import pytest
from rich.console import Console

from tfrs_app import progress
from tfrs_app.progress import Meter, counted, line, metered, watched


def test_a_line_tells_rate_and_rest_once_they_are_known():
    assert line(2048, 10_240, "texts", 0.0) == "2,048 of 10,240 texts"
    far = "6,144 of 10,240 texts, 1,024 texts/s, 4 s left"
    assert line(6144, 10_240, "texts", 4.0, before=2048) == far
    assert line(30, None, "lists", 2.0) == "30 lists, 15 lists/s"
    assert line(1, 4, "points", 600.0) == "1 of 4 points, 0.0017 points/s, 30 min left"
    assert line(1, 60, "points", 600.0).endswith(", 9 h 50 min left")
    assert line(5, 5, "points", 2.5) == "5 of 5 points, 2 points/s"


@pytest.fixture
def lines(monkeypatch):
    """What is told where nothing is a terminal."""
    file = io.StringIO()
    monkeypatch.setattr(progress, "_stderr", lambda: Console(file=file, width=200))
    return lambda: file.getvalue().splitlines()


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by a second whenever it is looked at."""
    seconds = iter(range(10_000))
    monkeypatch.setattr("time.monotonic", lambda: float(next(seconds)))


def test_lines_come_at_a_modest_interval(lines, clock):
    with metered("epoch 1 of at most 5", "examples", 3000) as meter:
        for step in range(30):
            meter.advance(100, lambda step=step: f"loss {step}")
    told = lines()
    assert len(told) == 3
    assert told[0] == (
        "  epoch 1 of at most 5: 1,000 of 3,000 examples, 100 examples/s, 20 s left, "
        "loss 9"
    )


def test_a_note_is_made_only_when_it_is_shown(lines, clock):
    asked = []
    with metered("epoch", "examples", 100) as meter:
        for _ in range(100):
            meter.advance(1, lambda: asked.append(1) or "loss 1")
    assert len(asked) == len(lines()) == 10


def test_a_short_step_says_nothing(lines):
    assert list(counted([1, 2], "short", "steps", 2)) == [1, 2]
    assert lines() == []


def test_only_the_innermost_step_tells(lines, clock):
    with metered("outside", "moments", 2) as outer:
        for _ in counted(range(20), "inside", "users", 20):
            outer.reach(1)
    assert lines()
    assert all(told.startswith("  inside: ") for told in lines())


def test_a_silent_call_is_watched(lines, monkeypatch):
    monkeypatch.setattr(progress, "COUNT_PERIOD_S", 0.001)
    monkeypatch.setattr(progress, "LINE_PERIOD_S", 0.002)
    seen = []

    def done():
        seen.append(1)
        return len(seen)

    with watched("embedding", "texts", 10_000, done):
        while not lines():
            pass
    assert re.fullmatch(r"  embedding: \d+ of 10,000 texts(, .* left)?", lines()[0])


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_terminal_gets_a_bar_and_is_left_clean(monkeypatch):
    file = Terminal()
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setattr(progress, "BAR_PERIOD_S", 0.0)
    monkeypatch.setattr(progress, "SHOWN_AFTER_S", 0.0)
    monkeypatch.setattr(
        progress,
        "_stderr",
        lambda: Console(file=file, width=120, force_terminal=True),
    )
    with metered("epoch", "examples", 10) as meter:
        meter.advance(5, lambda: "loss 0.5")
        with metered("inside", "users", 4) as inner:
            inner.advance(1)
            progress._bars[-1].refresh()
        assert len(progress._bars[-1].tasks) == 1
    told = file.getvalue()
    assert "5 of 10 examples, loss 0.5" in told
    assert "1 of 4 users" in told
    assert not progress._bars


def test_an_error_leaves_no_step_behind(lines):
    with pytest.raises(ValueError, match="broken"), metered("a", "b"):
        raise ValueError("broken")
    assert not progress._running
    assert isinstance(Meter("next", "steps", 1), Meter)
