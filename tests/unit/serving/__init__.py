# Ahead of any test's TensorFlow: it selects Keras 2, see tfrs_app/__init__.py.
import serving  # noqa: F401
