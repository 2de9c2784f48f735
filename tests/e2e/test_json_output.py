"""What `--json` prints is one object, as docs/cli.md says."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from serving.server.server import running
from tests.integration.serving.clients import options_of
from tests.program import tfrs_app

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def server(toy_run):
    with running(options_of({"smoke": toy_run.stages.model_base})) as addresses:
        yield addresses.grpc


@pytest.fixture
def own(toy_run, tmp_path):
    """The toy shop with artefacts of its own, which a command may change."""
    root = tmp_path / "artifacts"
    shutil.copytree(toy_run.config.artifacts, root)
    return replace(toy_run, overrides=[f"artifacts={root}", *toy_run.overrides[1:]])


def test_answers_are_json(toy_run, server):
    asked = [*toy_run.options, "--server", server, "--json"]
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
    assert "why, says" in told.stderr
    loaded = tfrs_app("load-test", *asked, "--rate", "10", "--seconds", "1")
    assert json.loads(loaded.stdout)["requests"] == 10


def test_a_refusal_leaves_stdout_empty(toy_run):
    done = tfrs_app("recommend", *toy_run.options, "--user=nobody", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")


@pytest.mark.parametrize("command", ["export", "evaluate", "run", "doctor"])
def test_results_are_json(command, own):
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
    assert {**told, **expected} == told
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


def test_what_changes_a_shop_is_json(own, tmp_path):
    dataset = own.stages.dataset_folder.name
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
    assert told["removed_from"] == [str(own.stages.layout.dataset(dataset))]
    kinds = [holder["kind"] for holder in told["may_still_hold"]]
    assert sorted(set(kinds)) == ["model", "training run"]
    assert [Path(table).name for table in told["tables"]] == [
        "views.csv", "orders.csv.gz", "users.jsonl", "impressions.parquet",
    ]  # fmt: skip
