"""A search on the toy shop that is really killed, and started again."""

import re
import shlex
import signal
import sqlite3
import subprocess
from itertools import pairwise

import pytest
import yaml

from tests.conftest import SMOKE, ToyRun
from tests.program import tfrs_app_command
from tfrs_app.contract.loading import load_config

SPACE = (
    "{retrieval.learning_rate: {low: 0.001, high: 0.1, log: true}, "
    "retrieval.query_layers: [[32], [32, 16]]}"
)


@pytest.fixture
def toy(toy_run) -> ToyRun:
    """The finished toy shop with a search that nobody has begun."""
    more = ["retrieval.epochs=2", f"tune={{trials: 3, seed: 9, space: {SPACE}}}"]
    return ToyRun(SMOKE, [*toy_run.overrides, *more], "")


def rows(path, query):
    with sqlite3.connect(path) as database:
        return database.execute(query).fetchall()


@pytest.mark.slow
def test_a_killed_search_goes_on_and_ends_with_a_command_that_uses_its_best(toy):
    root = toy.config.root
    before = {path for path in root.rglob("*") if path.is_file()}
    command = tfrs_app_command("tune", *toy.options)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as search:
        for line in search.stdout:
            if line.startswith("trial 2 of 3"):
                search.send_signal(signal.SIGKILL)
                break
    assert search.returncode == -signal.SIGKILL
    (study,) = (root / "studies").glob("*/study.db")
    assert rows(study, "select state from trials") == [("COMPLETE",), ("RUNNING",)]
    assert not (study.parent / "best.yaml").exists()

    done = subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    states = [state for (state,) in rows(study, "select state from trials")]
    assert states == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    lines = done.stdout.splitlines()
    begun = [line.partition(":")[0] for line in lines if line.startswith("trial ")]
    assert begun == ["trial 2 of 3", "trial 3 of 3"]
    # The redone trial tries the values of the broken one.
    drawn = rows(study, "select trial_id, param_name, param_value from trial_params")
    by_trial = {
        trial: {(n, v) for t, n, v in drawn if t == trial} for trial in (1, 2, 3, 4)
    }
    assert by_trial[2] == by_trial[3]
    assert by_trial[1] != by_trial[3] != by_trial[4]

    best = yaml.safe_load((study.parent / "best.yaml").read_text(encoding="utf-8"))
    assert set(best) == {"retrieval"}
    assert set(best["retrieval"]) == {"learning_rate", "query_layers"}
    following = shlex.split(lines[-1].removeprefix("next: "))
    assert "run" in following
    sets = [b for a, b in pairwise(following) if a == "--set"]
    chosen = load_config(SMOKE, sets).retrieval.model_dump(mode="json")
    assert {key: chosen[key] for key in best["retrieval"]} == best["retrieval"]

    # Nothing but the study was written: no run, no checkpoint, no report, no model.
    after = {path for path in root.rglob("*") if path.is_file()}
    new = {path.relative_to(root).parts[0] for path in after - before}
    assert new == {"studies"}
    # Optuna and Keras leave the screen to the trials.
    assert done.stderr == ""
    assert not re.search(r"ETA|=====", done.stdout)
