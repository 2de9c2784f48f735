"""From a shop's event logs to a served recommendation, on TensorFlow.

TensorFlow Recommenders needs Keras 2, which TensorFlow 2.16 and later offer as
`tf_keras` if `TF_USE_LEGACY_KERAS=1` stands in the environment before `tf.keras` is
first touched. Importing this package sets it, and refuses when it comes too late.
"""

import os
import sys

from tfrs_app.version import __version__

__all__ = ["__version__"]

if os.environ.setdefault("TF_USE_LEGACY_KERAS", "1") not in ("1", "true", "True"):
    raise ImportError(
        f"TF_USE_LEGACY_KERAS={os.environ['TF_USE_LEGACY_KERAS']!r}: tfrs_app needs "
        "Keras 2; set it to 1 or leave it unset"
    )
if "tensorflow" in sys.modules:
    # Keras 3 tells its version here, tf_keras does not.
    _generation = getattr(sys.modules["tensorflow"].keras, "__version__", "2")
    if _generation.startswith("3"):
        raise ImportError(
            f"tf.keras is already Keras {_generation}: import tfrs_app before "
            "tensorflow, or set TF_USE_LEGACY_KERAS=1 in the environment"
        )
