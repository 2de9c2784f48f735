import re
import shlex
from pathlib import Path

from tests.program import refusal, tfrs_app
from tfrs_app.contract.loading import load_config

SMALL = ["--users", "60", "--items", "60", "--days", "40"]


def test_a_shop_is_written_and_the_next_command_is_named(tmp_path):
    folder = tmp_path / "a shop"
    done = tfrs_app("simulate", "--output", str(folder), *SMALL, "--seed", "3")
    assert done.returncode == 0, done.stderr
    (config,) = re.findall(r"^config  (.*)$", done.stdout, flags=re.MULTILINE)
    assert load_config(Path(config), []).shop == "simulated"
    (line,) = re.findall(r"^next: (.*)$", done.stdout, flags=re.MULTILINE)
    assert shlex.split(line)[-3:] == ["run", "-c", config]
    artifacts = f"artifacts={tmp_path / 'artifacts'}"
    prepared = tfrs_app("prepare", "-c", config, "--set", artifacts)
    assert prepared.returncode == 0, prepared.stderr
    assert "0 rejected, 0 duplicates" in prepared.stderr


def test_impossible_options_are_refused(tmp_path):
    told = refusal("simulate", "--output", str(tmp_path), "--days", "7")
    assert "--days: must lie between 28 and 3660, received 7" in told
    told = refusal("simulate", "--output", str(tmp_path), "--users", "0")
    assert "--users: must lie between" in told
    assert not list(tmp_path.iterdir())
    assert tfrs_app("simulate", "--items", "many").returncode == 2
    (tmp_path / "file").write_text("")
    told = refusal("simulate", "--output", str(tmp_path / "file"), *SMALL)
    assert "can't be written" in told
