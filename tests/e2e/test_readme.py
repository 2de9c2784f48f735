"""Every command of the README does what it says, on the toy shop.

A command is run as it stands there, except that names of the README's shop become names
of the toy shop. Those that cannot run here are listed with the reason.
"""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.command_tree import parsed
from tests.program import tfrs_app, tfrs_app_command
from tests.toy_shop import parity_of

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```bash\n(.*?)```", README, flags=re.DOTALL)
INLINE = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", README, flags=re.DOTALL))
SHELL = re.compile(r"^(tfrs-app|make|python[\d.]*|\S*pip|docker|curl|npm) ")
LINES = [
    line.split("  #")[0].strip()
    for text in (*INLINE, *(line for block in BLOCKS for line in block.splitlines()))
    if SHELL.match(line := text.strip())
]

MY_SHOP = "-c configs/my_shop.yaml"
NOT_RUN = {
    "make demo": "takes an hour; `make -n` is run by tests/unit/test_docs.py",
    "make test": "is what runs this",
    "make smoke": "is what the fixture toy_run does",
    "python3.11 -m venv .venv && .venv/bin/pip install -c constraints.txt "
    "'.[beam,train,serving]'": "downloads 3 GB",
    "python benchmarks/recommend.py": "measures the demo's model",
    f'tfrs-app search "red lamp" {MY_SHOP} --user U1': "the toy shop's towers read no "
    "texts; tests/integration/export/test_texts.py searches",
    f"tfrs-app prepare {MY_SHOP} --runner=DaskRunner "
    "--dask_client_address=tcp://10.0.0.1:8786": "no cluster is at that address; "
    "tests/integration/beam/test_runners.py starts one",
}
"""Line -> why it is not run; those of `tfrs-app` are parsed all the same."""
NAMES = {
    "SKU1,SKU2": "i2,i4",
    "SKU9": "i9",
    "U1": "u2",
    "CUSTOMER": "u4",
    "allow_category=shoes,boots": "allow_colour=white",
}
LONG = {"tune": ["--set", "tune.trials=1"]}
"""What shortens a command that takes long."""


@pytest.fixture(scope="module")
def shop(toy_run, tmp_path_factory):
    """A copy of the toy shop's artefacts, since commands change them."""
    root = tmp_path_factory.mktemp("readme") / "artifacts"
    shutil.copytree(toy_run.config.artifacts, root)
    return replace(toy_run, overrides=[f"artifacts={root}", *toy_run.overrides[1:]])


@pytest.fixture(scope="module")
def server(shop):
    """The address of what the README's `serve` starts."""
    (line,) = [line for line in LINES if line.startswith("tfrs-app serve")]
    ports = ["--port", "auto", "--rest-api-port", "auto"]
    command = [*tfrs_app_command(*words_of(line, shop)), *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = process.stdout.readline()
        try:
            yield re.search(r"gRPC (\S+), REST", told)[1]
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=120) == 0


def words_of(line, shop):
    """What follows the program's name, with the toy shop for the README's."""
    for name, other in NAMES.items():
        line = re.sub(rf"(?<![\w-]){re.escape(name)}(?!\w)", other, line)
    name, _ = parsed(line)
    words = shlex.split(line.replace(MY_SHOP, shlex.join(shop.options)))[1:]
    return [*words, *LONG.get(name, [])]


def runs():
    """The lines to be run: `forget` last, for it changes what the others ask for."""
    lines = [line for line in LINES if line not in NOT_RUN and " " in line]
    lines = [line for line in lines if MY_SHOP in line and " serve " not in line]
    return sorted(lines, key=lambda line: " forget " in line)


def test_every_line_is_run_or_listed():
    """What is neither is `serve`, `init`, and words that name a command only."""
    others = {line for line in LINES if line not in {*runs(), *NOT_RUN}}
    assert {" ".join(line.split()[:2]) for line in others} == {
        "tfrs-app serve", "tfrs-app init", "tfrs-app explain",
    }  # fmt: skip
    assert NOT_RUN.keys() <= set(LINES)
    assert len(runs()) > 10


@pytest.mark.parametrize("line", [line for line in LINES if " -c configs/" in line])
def test_a_line_is_one_that_the_program_takes(line):
    parsed(line)


@pytest.mark.parametrize("line", runs())
def test_a_line_runs(line, shop, request, tmp_path, monkeypatch):
    words = words_of(line, shop)
    if {"recommend", "search", "explain"} & set(words[:1]):
        words += ["--server", request.getfixturevalue("server")]
    if "changes.csv" in words:
        monkeypatch.chdir(tmp_path)
        Path("changes.csv").write_text("sku,price\ni1,2.5\n")
        words = [str(Path(w).absolute()) if w == "changes.csv" else w for w in words]
    done = tfrs_app(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.rstrip().splitlines()[-1]
    assert last.startswith("next: "), done.stdout
    if "allow_colour=white" in words:
        listed = re.findall(r"│ (i\d+) ", done.stdout)
        assert listed
        assert {parity_of(item) for item in listed} == {"even"}


def test_the_first_config_is_written(toy_tables, tmp_path, monkeypatch):
    (line,) = [line for line in LINES if line.startswith("tfrs-app init")]
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    with Path("data/orders.csv").open("w") as orders:
        orders.write("customer,sku,ordered_at\n")
        orders.writelines(
            f"u{n % 9},i{n % 40},2024-0{1 + n % 3}-{1 + n % 28:02d} 10:00:00\n"
            for n in range(200)
        )
    rows = "".join(f"i{n},{n}.5,{'blue' if n % 2 else 'red'}\n" for n in range(40))
    Path("data/items.csv").write_text(f"sku,price,colour\n{rows}")
    done = tfrs_app(*shlex.split(line)[1:], "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.rstrip().endswith("run -c configs/my_shop.yaml")
    assert tfrs_app("prepare", "-c", "configs/my_shop.yaml").returncode == 0


def test_json_is_alone_on_stdout(shop, server):
    """What docs/cli.md says of `--json`, on the commands that the README names."""
    asked = [*shop.options, "--server", server, "--json"]
    answer = json.loads(tfrs_app("recommend", "--history=i2,i4", "-k3", *asked).stdout)
    assert answer["server"] == server
    assert answer["history"] == ["i2", "i4"]
    assert len(answer["items"]) == 3
    first = answer["items"][0]
    assert first.keys() == {
        "item_id", "score", "probabilities", "source", "reason_item_id", "relevance",
        "text",
    }  # fmt: skip
    assert first["text"].endswith(f"thing {first['item_id'][1:]}")
    told = tfrs_app("explain", first["item_id"], "--history=i2,i4", "-k3", *asked)
    (why,) = json.loads(told.stdout)["items"]
    assert (why["item_id"], why["fate"], why["place"]) == (
        first["item_id"],
        "listed",
        1,
    )
    assert "what becomes of it" in told.stderr
    loaded = tfrs_app("load-test", *asked, "--rate", "10", "--seconds", "1")
    assert json.loads(loaded.stdout)["requests"] == 10


def test_a_refusal_leaves_stdout_empty(shop):
    done = tfrs_app("recommend", *shop.options, "--user=nobody", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("command", ["export", "evaluate", "run", "doctor"])
def test_results_are_json(command, toy_run, tmp_path):
    root = tmp_path / "artifacts"
    shutil.copytree(toy_run.config.artifacts, root)
    own = replace(toy_run, overrides=[f"artifacts={root}", *toy_run.overrides[1:]])
    done = tfrs_app(command, *own.options, "--json")
    assert done.returncode == 0, done.stderr
    told, stages = json.loads(done.stdout), own.stages
    expected = {
        "export": {"model": str(stages.model_base / "1"), "version": 1},
        "evaluate": {
            "dataset": stages.dataset_folder.name,
            "run": stages.last_run.name,
            "metrics": str(stages.metrics_file),
            "report": str(stages.report_page),
        },
        "run": {
            "dataset": str(stages.dataset_folder),
            "run": str(stages.last_run),
            "metrics": str(stages.metrics_file),
            "report": str(stages.report_page),
            "model": str(stages.model_base / "1"),
            "version": 1,
        },
        "doctor": {"sound": True, "dataset": stages.dataset_folder.name},
    }[command]
    assert expected.items() <= told.items()
    assert "next: " in done.stderr
    if command == "evaluate":
        models = {result["model"] for result in told["results"]}
        assert {"popular", "ease", "retrieval", "funnel"} <= models
        assert all("intervals" in result for result in told["results"])
        assert {verdict["outcome"] for verdict in told["verdicts"]}
    if command == "doctor":
        assert {gate["key"] for gate in told["gates"]} == {
            "data.gates.max_oov.item_id",
            "data.gates.min_events",
        }


def test_doctor_tells_what_is_wrong_as_json_too(toy_run, tmp_path):
    sets = ["--set", f"artifacts={tmp_path}", "--set", "data.items.source=none.csv"]
    done = tfrs_app("doctor", *toy_run.options, *sets, "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert told["sound"] is False
    wrong = [found for found in told["findings"] if found["remedy"]]
    assert [found["subject"] for found in wrong] == ["tables of smoke"]


def test_what_changes_a_shop_is_json(toy_run, tmp_path):
    root = tmp_path / "artifacts"
    shutil.copytree(toy_run.config.artifacts, root)
    own = replace(toy_run, overrides=[f"artifacts={root}", *toy_run.overrides[1:]])
    table = tmp_path / "changes.csv"
    table.write_text("sku,price\ni1,2.5\n")
    done = tfrs_app("catalog", "push", str(table), *own.options, "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "model": str(own.stages.model_base / "2"),
        "version": 2,
    }
    done = tfrs_app("forget", "u4", *own.options, "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["removed_from"] == [
        str(own.stages.layout.dataset("x").parent / name)
        for name in [Path(told["removed_from"][0]).name]
    ]
    kinds = [holder["kind"] for holder in told["may_still_hold"]]
    assert sorted(set(kinds)) == ["model", "training run"]
    assert [Path(table).name for table in told["tables"]] == [
        "views.csv", "orders.csv.gz", "users.jsonl",
    ]  # fmt: skip


def test_it_runs_as_a_module_too():
    done = subprocess.run(
        [sys.executable, "-m", "tfrs_app", "--version"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
