"""Names in request logs and in the table of impressions that is made of them."""

USER_HEADER = "x-user-id"
"""HTTP header or gRPC metadata that tells for whom a request asks: one id, or one a row
of the request, separated by commas; each percent-encoded (RFC 3986) UTF-8."""

POSITION = "position"
"""Place in the list that was shown, 0 = first."""
LIST_ID = "list_id"
"""Same for all impressions of one list."""
MODEL = "model"
MODEL_VERSION = "model_version"
SIGNATURE = "signature"
SAMPLING_RATE = "sampling_rate"
"""The chance that a list had to be recorded: each stands for 1 / rate lists."""

JSONL_ENDING = ".jsonl"
TFRECORD_ENDING = ".tfrecord"
"""Endings of finished files of a request log."""
