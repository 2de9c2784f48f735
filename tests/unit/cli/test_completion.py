"""The shell completes commands, options and the paths of configs."""

import os
import subprocess
import sys

import pytest

from tfrs_app.cli.options import config_files


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("configs/shop.yaml", "configs/other.yml", "configs/notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    (tmp_path / "configs" / "serving").mkdir()
    (tmp_path / ".hidden").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("begun", "offered"),
    [
        ("", ["configs/"]),
        ("con", ["configs/"]),
        (".h", [".hidden/"]),
        ("configs/", ["configs/other.yml", "configs/serving/", "configs/shop.yaml"]),
        ("configs/s", ["configs/serving/", "configs/shop.yaml"]),
        ("configs/n", []),
        ("nowhere/x", []),
    ],
)
def test_folders_and_yaml_files_are_offered(begun, offered, folder):
    assert list(config_files(begun)) == offered


def test_an_absolute_path_is_completed(folder):
    assert list(config_files(f"{folder}/con")) == [f"{folder}/configs/"]


def completed(words, count):
    """What bash is offered, by the very protocol that the installed script uses."""
    environment = {
        **os.environ,
        "_TFRS_APP_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(count),
    }
    code = "import sys; sys.argv = ['tfrs-app']; from tfrs_app.cli import app; "
    done = subprocess.run(
        [sys.executable, "-c", f"{code}app(prog_name='tfrs-app')"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "count", "offered"),
    [
        ("tfrs-app rec", 1, ["recommend"]),
        ("tfrs-app train ", 2, ["retrieval", "ranking"]),
        ("tfrs-app recommend --new", 2, ["--new-only"]),
        ("tfrs-app run -c configs/s", 3, ["configs/serving/", "configs/shop.yaml"]),
    ],
)
def test_bash_is_offered_commands_options_and_configs(words, count, offered, folder):
    assert completed(words, count) == offered


def test_the_script_for_bash_is_shown_and_is_bash(tmp_path):
    shown = subprocess.run(
        [sys.executable, "-m", "tfrs_app", "--show-completion", "bash"],
        env={**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode == 0, shown.stderr
    assert "complete_bash" in shown.stdout
    script = tmp_path / "completion.sh"
    script.write_text(shown.stdout)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
