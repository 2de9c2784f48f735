"""Every command's help: there, complete, light, and with examples that are true."""

import json
import subprocess
import sys

import pytest

from tests.command_tree import ROOT, commands, parsed
from tfrs_app.cli.examples import EXAMPLES

HEAVY = {"tensorflow", "tf_keras", "apache_beam", "pyarrow", "scipy", "pandas", "scann"}
SCRIPT = """
import json, sys
from typer.testing import CliRunner
from tfrs_app.cli import app
told = {}
for words in json.loads(sys.argv[1]):
    done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0, (words, done.output)
    told[" ".join(words)] = done.output
print(json.dumps({"told": told, "modules": list(sys.modules)}))
"""


@pytest.fixture(scope="module")
def helps():
    """What every `--help` says, in a process that did nothing else."""
    names = ["", "train", "catalog", "text-encoder", *dict(commands())]
    words = json.dumps([name.split() for name in names])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_no_help_waits_for_a_heavy_library(helps):
    assert not HEAVY & set(helps["modules"])


@pytest.mark.parametrize("name", ["", "train", *dict(commands())])
def test_every_help_is_there(name, helps):
    assert "Usage" in helps["told"][name]


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=lambda c: str(c))
def test_every_command_and_option_is_explained(name, command):
    assert command.help, name
    for parameter in command.params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_every_option_of_the_program_is_explained():
    assert all(parameter.help for parameter in ROOT.params)


@pytest.mark.parametrize("name", list(dict(commands())))
def test_every_help_ends_with_examples(name, helps):
    told = " ".join(helps["told"][name].split())
    _, _, examples = told.partition("Examples: ")
    for line in EXAMPLES[name]:
        assert f"tfrs-app {name} {line}" in examples


@pytest.mark.parametrize(
    "line", [f"tfrs-app {name} {line}" for name, ls in EXAMPLES.items() for line in ls]
)
def test_an_example_is_a_command_line(line):
    name, _ = parsed(line)
    assert line.startswith(f"tfrs-app {name} ")
