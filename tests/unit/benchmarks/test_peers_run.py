"""What is there is not made again, and each step runs where it must."""

import json
import subprocess
import sys

import pytest

from benchmarks.peers import files
from benchmarks.peers.rivals import RIVALS
from benchmarks.peers.run import Runner

BY_NAME = {rival.name: rival for rival in RIVALS}
CHOICE = {"setting": {"a": 1}, "rounds": 1, "ndcg": 0.5}


@pytest.fixture
def started(tmp_path, monkeypatch):
    """The commands, each of which leaves the file that it is there for."""
    commands = []

    def run(command, *, check, env):
        assert check
        assert env["OMP_NUM_THREADS"] == "2"
        commands.append([*command[:1], *command[2:]])
        module, words = command[2], command[3:]
        own = tmp_path / (words[1] if module.endswith(("process", "ours")) else "")
        own.mkdir(exist_ok=True)
        if "train" in words:
            (tmp_path / files.TRAINED.format(part=words[1])).touch()
        elif "tune" in words:
            chosen = dict.fromkeys(files.TARGETS, CHOICE)
            (own / files.TUNED).write_text(json.dumps({"chosen": chosen}))
        elif module.endswith("ours"):
            (own / files.TUNED).touch()
        else:
            for target in words[3:]:
                (own / files.MEASURED.format(target=target)).touch()

    monkeypatch.setattr(subprocess, "run", run)
    return commands


@pytest.fixture
def runner(tmp_path):
    return Runner("shop.yaml", tmp_path, "peers/python")


def test_a_peer_is_tuned_then_asked_once(runner, started, tmp_path):
    runner.run(BY_NAME["als"])
    runner.run(BY_NAME["als"])
    module, folder = "benchmarks.peers.process", str(tmp_path)
    assert started == [
        ["peers/python", module, "tune", "als", folder],
        ["peers/python", module, "answer", "als", folder, *files.TARGETS],
    ]


def test_a_peer_that_was_stopped_goes_on(runner, started, tmp_path):
    runner.run(BY_NAME["als"])
    (tmp_path / "als" / files.MEASURED.format(target="all")).unlink()
    runner.run(BY_NAME["als"])
    assert [command[2] for command in started] == ["tune", "answer", "answer"]


def test_the_tutorial_runs_in_our_environment(runner, started):
    runner.run(BY_NAME["tfrs_tutorial"])
    assert {command[0] for command in started} == {sys.executable}


def test_ours_is_trained_then_asked_once(runner, started):
    for name in ("towers", "funnel", "towers", "funnel"):
        runner.run(BY_NAME[name])
    assert [command[2:4] for command in started] == [
        ["train", "towers"],
        ["answer", "towers"],
        ["train", "ranker"],
        ["answer", "funnel"],
    ]
