import sys

import pytest

from tfrs_app.cli.program import program


@pytest.mark.parametrize(
    ("on_the_path", "started", "expected"),
    [
        ("/bin/tfrs-app", "whatever", "tfrs-app"),
        (None, ".venv/bin/tfrs-app", ".venv/bin/tfrs-app"),
        (None, "tfrs_app/__main__.py", "bin/python -m tfrs_app"),
    ],
)
def test_the_hint_can_be_copied(monkeypatch, on_the_path, started, expected):
    monkeypatch.setattr("shutil.which", lambda name: on_the_path)
    monkeypatch.setattr(sys, "argv", [started])
    monkeypatch.setattr(sys, "executable", "bin/python")
    assert program() == expected
