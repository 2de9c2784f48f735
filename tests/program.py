"""`tfrs-app` as a user calls it: in a process of its own, or sooner in this one."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

from tfrs_app.cli import main


def tfrs_app_command(*arguments: str) -> list[str]:
    """The command line of `tfrs-app`, run by this very Python."""
    return [sys.executable, "-c", "from tfrs_app.cli import main; main()", *arguments]


def process(*arguments: str) -> subprocess.CompletedProcess:
    """What a process of its own says, which must import all that it needs."""
    return subprocess.run(
        tfrs_app_command(*arguments),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def tfrs_app(*arguments: str) -> subprocess.CompletedProcess:
    """What the program says, run in this process, which has TensorFlow already."""
    code, out, err = 0, io.StringIO(), io.StringIO()
    argv = ["tfrs-app", *arguments]
    with patch.object(sys, "argv", argv), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    return subprocess.CompletedProcess(argv, code, out.getvalue(), err.getvalue())


def refusal(*arguments: str, run=tfrs_app) -> str:
    """The one sentence that a user's mistake is answered with."""
    done = run(*arguments)
    told = done.stderr + done.stdout
    assert done.returncode == 2, told
    assert "Traceback" not in told
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, told
    return errors[0]
