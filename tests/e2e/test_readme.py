"""Every command of the README does what it says, on the toy shop.

A command is run as it stands there, except that names of the README's shop become names
of the toy shop. Those that cannot run here are listed with the reason.
"""

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
    "make demo": "takes half an hour; `make -n` is run by tests/unit/test_docs.py",
    "make test": "is what runs this",
    "make storefront": "shows the demo's model; tests/e2e/test_storefront.py starts "
    "the page of the toy shop",
    "make peers": "takes an hour",
    "make docs": "is built by tests/unit/test_docs.py",
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
    assert len(runs()) >= 10


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


def test_it_runs_as_a_module_too():
    done = subprocess.run(
        [sys.executable, "-m", "tfrs_app", "--version"],
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
