"""What `--json` prints is JSON, whatever a command found."""

import json
from dataclasses import dataclass
from pathlib import Path

from tfrs_app.cli.json_output import print_json


@dataclass(frozen=True)
class Inner:
    name: str
    path: Path
    value: float


def test_paths_classes_and_odd_numbers_become_json(capsys):
    inner = Inner("a", Path("x/y"), float("nan"))
    print_json({"inner": (inner,), "more": {1: float("inf"), "n": None, "flag": True}})
    told = capsys.readouterr().out
    assert told.count("\n") == 1
    assert json.loads(told) == {
        "inner": [{"name": "a", "path": "x/y", "value": None}],
        "more": {"1": None, "n": None, "flag": True},
    }
