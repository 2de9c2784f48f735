"""Embedded model server: TF Serving's protocol without `tensorflow_model_server`."""

# Ahead of TensorFlow on purpose: it selects Keras 2 for the whole process.
import tfrs_app  # noqa: F401
