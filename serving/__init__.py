"""Serves exported recommenders over TF Serving's protocol, and asks them."""

import tfrs_app

# Imported ahead of TensorFlow on purpose: it selects Keras 2 for the whole process.
__all__ = ["__version__"]
__version__ = tfrs_app.__version__
