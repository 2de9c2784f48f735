import subprocess
import sys

import pytest

from tfrs_app.contract.errors import ArtifactError
from tfrs_app.contract.op_libraries import load_op_libraries


def graph(folder, content):
    (folder / "saved_model.pb").write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"..Scann>ScannSearch..", "ScaNN ops, but scann cannot be imported"),
        (b"..WhitespaceTokenize..", "TensorFlow Text ops, but tensorflow_text cannot"),
    ],
)
def test_a_library_that_is_missing_is_named(tmp_path, monkeypatch, content, says):
    for module in ("scann.scann_ops.py.scann_ops", "tensorflow_text"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ArtifactError, match=says):
        load_op_libraries(graph(tmp_path, content))


@pytest.mark.parametrize("content", [b"..MatMul..", None])
def test_a_graph_without_such_ops_needs_no_library(tmp_path, monkeypatch, content):
    monkeypatch.setitem(sys.modules, "scann.scann_ops.py.scann_ops", None)
    load_op_libraries(tmp_path if content is None else graph(tmp_path, content))


@pytest.mark.slow
def test_ops_are_there_afterwards(tmp_path):
    graph(tmp_path, b"..Scann>ScannSearch..")
    code = (
        "import sys; from pathlib import Path\n"
        "from tfrs_app.contract.op_libraries import load_op_libraries\n"
        "load_op_libraries(Path(sys.argv[1]))\n"
        "from tensorflow.python.framework import op_def_registry\n"
        "assert op_def_registry.get('Scann>ScannSearchBatched')"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
