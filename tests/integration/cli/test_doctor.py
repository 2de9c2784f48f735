import subprocess

from tests.conftest import tfrs_app_command


def doctor(*options):
    return subprocess.run(
        tfrs_app_command("doctor", *options),
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_sound_machine_and_config_pass(toy_run):
    done = doctor(*toy_run.options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tf_keras" in done.stdout
    assert done.stdout.count("all columns") == 3


def test_a_column_that_the_file_lacks_is_named_with_its_remedy(toy_run):
    wrong = ["--set", "data.events.1.columns.user_id=custommer"]
    done = doctor(*toy_run.options, *wrong)
    assert done.returncode == 2
    assert "did you mean" in done.stdout
    assert done.stderr.startswith("error: doctor: needs care")
