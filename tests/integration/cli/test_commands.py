import json
import re
import shlex
import shutil
import socket
import subprocess
import sys

import pytest
from rich.console import Console

from tests.conftest import SMOKE
from tests.program import process, refusal, tfrs_app
from tests.unit.evaluation.report.html_reader import Page
from tfrs_app.cli.stages import Stages
from tfrs_app.contract.loading import load_config

COMMANDS = [
    [], ["prepare"], ["train"], ["train", "retrieval"], ["evaluate"], ["export"],
    ["embed-texts"], ["tune"], ["run"], ["serve"], ["recommend"], ["doctor"], ["demo"],
    ["forget", "u0"],
]  # fmt: skip
WITHOUT_CONFIG = [["simulate"], ["text-encoder", "build"]]


HELP = """
import sys
from typer.testing import CliRunner
from tfrs_app.cli import app
for line in sys.argv[1:]:
    done = CliRunner().invoke(app, [*line.split(), "--help"])
    assert done.exit_code == 0, line
    assert "Usage" in done.output, line
heavy = {"tensorflow", "apache_beam", "tf_keras", "scann"} & set(sys.modules)
assert not heavy, heavy
"""


def test_every_help_is_there_and_never_waits_for_tensorflow():
    lines = [" ".join(command) for command in [*COMMANDS, *WITHOUT_CONFIG]]
    done = subprocess.run(
        [sys.executable, "-c", HELP, *lines],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_version():
    assert re.fullmatch(r"tfrs-app \d+\.\d+\.\d+\n", process("--version").stdout)


def test_an_unknown_command_and_a_missing_option_are_refused():
    assert process("bake").returncode == 2
    assert tfrs_app("run").returncode == 2


@pytest.mark.parametrize("command", COMMANDS[1:2] + COMMANDS[3:], ids=" ".join)
def test_a_missing_config_is_refused_by_every_command(command, tmp_path):
    told = refusal(*command, "-c", str(tmp_path / "none.yaml"))
    assert "none.yaml: no such file; pass -c configs/<shop>.yaml" in told


def test_a_misspelt_key_is_refused():
    wrong = ["--set", "retrieval.epoch=3"]
    told = refusal("run", "-c", str(SMOKE), *wrong, run=process)
    assert "retrieval.epoch: unknown key; did you mean 'epochs'?" in told


@pytest.fixture
def nowhere(tmp_path, toy_overrides):
    """Options of a shop that has tables and nothing else."""
    sets = [f"artifacts={tmp_path}", *toy_overrides]
    return ["-c", str(SMOKE), *(part for text in sets for part in ("--set", text))]


def test_a_missing_table_is_refused(nowhere, tmp_path):
    missing = f"data.items.source={tmp_path / 'none.parquet'}"
    assert "none.parquet" in refusal("prepare", *nowhere, "--set", missing)


def test_training_needs_a_dataset(nowhere):
    assert "absent or unfinished" in refusal("train", "retrieval", *nowhere)


def test_export_needs_a_training(toy_run):
    told = refusal("export", *toy_run.options, "--set", "retrieval.seed=7")
    assert "holds no manifest.json, so it is absent or unfinished" in told


def test_serving_needs_a_model(nowhere):
    assert "no model is published" in refusal("serve", *nowhere)


def test_asking_needs_a_model(nowhere):
    assert "no model is published" in refusal("recommend", *nowhere)


@pytest.mark.parametrize("scheme", ["", "http://"])
def test_asking_needs_a_server(toy_run, scheme):
    with socket.socket() as free:  # bound, so that nobody else listens there
        free.bind(("127.0.0.1", 0))
        server = f"{scheme}127.0.0.1:{free.getsockname()[1]}"
        told = refusal("recommend", *toy_run.options, "--server", server)
    assert server.removeprefix("http://") in told


def test_a_history_and_a_user_exclude_each_other(toy_run):
    told = refusal("recommend", *toy_run.options, "--history=i1", "--user=u1")
    assert "--history and --user exclude each other; give one" in told


def test_an_unknown_user_is_refused(toy_run):
    told = refusal("recommend", *toy_run.options, "--user=nobody")
    assert "--user 'nobody': no such user in the dataset" in told


def test_an_unknown_filter_is_refused(toy_run):
    told = refusal("recommend", *toy_run.options, "--filter=allow_size=big")
    assert "--filter allow_size=big: is no filter of this shop" in told
    assert "allow_colour, block_colour, max_price, min_price" in told


def test_a_second_run_skips_everything(toy_run):
    base = toy_run.stages.layout.root
    files = {p: p.stat().st_mtime_ns for p in base.rglob("*") if p.is_file()}
    done = tfrs_app("run", *toy_run.options)
    told = done.stdout + done.stderr
    assert done.returncode == 0, told
    for what in ("dataset", "retrieval run", "report", "model"):
        assert f"{what} unchanged: " in told
    assert "epoch 1" not in told
    assert {p: p.stat().st_mtime_ns for p in files} == files


def test_the_report_shows_what_metrics_json_holds(toy_run):
    reports = toy_run.stages.layout.reports
    told = "".join(toy_run.output.split())  # the console breaks lines
    assert f"report{reports / 'report.html'}" in told
    document = json.loads((reports / "metrics.json").read_text(encoding="utf-8"))
    read = Page((reports / "report.html").read_text(encoding="utf-8"))
    k = document["evaluation"]["k"]
    for number, target in enumerate(("all", "first_purchase")):
        ranked = read.table(f"Ranking by NDCG@{k}", number)
        rows = [r for r in document["results"] if r["target"] == target]
        assert len(ranked) == len(rows)
        for row in rows:
            (_, told) = ranked[row["model"].replace("_", " ")].values()
            low, high = row["intervals"][f"ndcg@{k}"]
            assert told == f"{row[f'ndcg@{k}']:.4f} {low:.4f} to {high:.4f}"
    assert "Customer 6" in read.text
    assert " thing " in read.text  # titles, as the catalogue has them


@pytest.mark.slow
def test_a_lost_report_is_made_again(toy_run, tmp_path):
    root = tmp_path / "again"
    shutil.copytree(toy_run.stages.config.artifacts, root)
    config = load_config(toy_run.config_path, [*toy_run.overrides, f"artifacts={root}"])
    stages = Stages(config, Console(quiet=True))
    stages.report_page.unlink()
    stages.evaluate()
    assert "Customer 6" in stages.report_page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_command_says_what_comes_next(toy_run):
    for command, following in (
        (["train", "retrieval"], "train ranking"),
        (["train", "ranking"], "evaluate"),
        (["evaluate"], "export"),
        (["export"], "serve"),
    ):
        done = tfrs_app(*command, *toy_run.options)
        last = done.stdout.splitlines()[-1]
        # Whatever starts the program here, the hint starts it again.
        assert last.startswith("next: ")
        assert last.endswith(shlex.join([*following.split(), *toy_run.options]))


def test_even_users_are_recommended_even_items(toy_run):
    """The toy shop is a checkerboard, so the right answers are known."""
    import tensorflow as tf

    from tests.integration.export.conftest import defaults_of

    folder = toy_run.stages.model_base / "1"
    retrieve = tf.saved_model.load(str(folder)).signatures["retrieve"]
    defaults = defaults_of(folder, "retrieve")
    for odd in (0, 1):
        history = tf.constant([[f"i{n}" for n in range(10 + odd, 30 + odd, 2)]])
        given = {"history_item_id": history, "k": tf.constant(20)}
        answer = retrieve(**{**defaults, **given})
        numbers = [int(item.decode()[1:]) for item in answer["item_id"].numpy()[0]]
        assert sum(n % 2 == odd for n in numbers) >= 18
