import dataclasses
import shutil

import pytest

from tests.program import process, tfrs_app


@pytest.fixture
def own_run(toy_run, tmp_path):
    """The toy shop's artefacts, copied: doctor writes a report among them."""
    root = tmp_path / "artifacts"
    shutil.copytree(toy_run.config.artifacts, root)
    return dataclasses.replace(
        toy_run, overrides=[f"artifacts={root}", *toy_run.overrides[1:]]
    )


def test_a_sound_machine_and_config_pass(own_run):
    done = process("doctor", *own_run.options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tf_keras" in done.stdout
    assert done.stdout.count("all columns") == 3
    assert "sku string" in done.stdout
    assert "features, the oddest first" in done.stdout
    report = own_run.stages.layout.reports / "data.html"
    assert f"report  {report}" in done.stdout
    assert "<svg" in report.read_text()
    assert "none in the histories of 7,900 examples" in done.stdout
    assert "no suspicious figures" in done.stdout


def test_a_gate_that_is_not_kept_fails(own_run):
    done = tfrs_app(
        "doctor", *own_run.options, "--set", "data.gates.min_events=9000000"
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: data.gates.min_events: 7,900 is beyond")
    assert "not kept" in done.stdout


def test_the_dataset_to_compare_with_may_be_chosen(own_run):
    name = own_run.stages.dataset_folder.name
    done = tfrs_app("doctor", *own_run.options, "--against", name)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"(against {name})" in done.stdout
    done = tfrs_app("doctor", *own_run.options, "--against", "nowhere")
    assert done.returncode == 2
    assert "nowhere: holds no manifest.json" in done.stderr


def test_without_a_dataset_prepare_is_named(toy_run, tmp_path):
    elsewhere = [*toy_run.options, "--set", f"artifacts={tmp_path}"]
    done = tfrs_app("doctor", *elsewhere)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "none yet" in done.stdout
    assert not (tmp_path / "smoke").exists()
    done = tfrs_app("doctor", *elsewhere, "--against", "some")
    assert done.returncode == 2
    assert "there is no dataset to compare with it" in done.stderr


def test_a_column_that_the_file_lacks_is_named_with_its_remedy(toy_run):
    wrong = ["--set", "data.events.1.columns.user_id=custommer"]
    done = tfrs_app("doctor", *toy_run.options, *wrong)
    assert done.returncode == 2
    assert "did you mean" in done.stdout
    assert done.stderr.startswith("error: doctor: needs care")
