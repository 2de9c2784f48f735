import subprocess
import sys

import pytest


@pytest.mark.parametrize("module", ["serving.client", "serving.client.rest"])
def test_rest_needs_neither_tensorflow_nor_grpc_nor_the_server(module):
    code = (
        f"import sys, {module};"
        "heavy = {'tensorflow', 'grpc', 'serving.server'} & sys.modules.keys();"
        "sys.exit(', '.join(heavy) or 0)"
    )
    command = [sys.executable, "-c", code]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (0, "")
