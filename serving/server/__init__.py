"""Embedded model server: TF Serving's protocol without `tensorflow_model_server`."""
