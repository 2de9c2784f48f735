from threading import Event

from beam import embedding_progress
from beam.embedding_progress import line, told


def test_a_line_tells_rate_and_rest_once_they_are_known():
    assert line(2048, 10_240, 0.0, 0) == "  2,048 of 10,240 texts"
    far = "  6,144 of 10,240 texts, 1,024 texts/s, 4 s left"
    assert line(6144, 10_240, 4.0, 4096) == far


def test_progress_is_told_until_the_work_ends(monkeypatch):
    monkeypatch.setattr(embedding_progress, "PERIOD_S", 0.001)
    counts = iter([0, 2, 2, 4, 4])
    lines, enough = [], Event()

    def done():
        count = next(counts, None)
        if count is None:
            enough.set()
        return 5 if count is None else count

    with told(done, 5, lines.append):
        assert enough.wait(10)
    assert lines[0] == "  2 of 5 texts"
    assert lines[1].startswith("  4 of 5 texts, ")
    assert len(lines) == 2
