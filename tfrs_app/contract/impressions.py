"""Names in request logs and in the table of impressions that is made of them."""

USER_HEADER = "x-user-id"
"""HTTP header or gRPC metadata that tells for whom a request asks: one id, or one a row
of the request, separated by commas; each percent-encoded (RFC 3986) UTF-8."""

POSITION = "position"
"""Place in the list that was shown, 0 = first."""
MODEL = "model"
MODEL_VERSION = "model_version"

JSONL_ENDING = ".jsonl"
TFRECORD_ENDING = ".tfrecord"
"""Endings of finished files of a request log."""
