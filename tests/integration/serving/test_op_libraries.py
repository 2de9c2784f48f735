"""Models with ops that TensorFlow lacks, in a process that has not loaded them."""

import subprocess
import sys

import tensorflow as tf
import tensorflow_text as tf_text

LOAD = """
import sys
from serving.server.models.servable import Servable
assert "tensorflow_text" not in sys.modules
Servable("words", 1, __import__("pathlib").Path(sys.argv[1]))
assert "tensorflow_text" in sys.modules
"""


class Folded(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "texts")])
    def __call__(self, texts):
        return {"folded": tf_text.normalize_utf8(texts, "NFD")}


def test_text_ops_are_loaded_when_a_graph_names_them(tmp_path):
    module = Folded()
    signatures = {"serving_default": module.__call__}
    tf.saved_model.save(module, str(tmp_path), signatures=signatures)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
