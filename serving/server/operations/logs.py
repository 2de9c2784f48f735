"""The server's own log on stderr: lines of text, or one JSON object a line.

At INFO it says what happens to models and to the server. Requests, ids and bodies
stand in it at no level: they are the request log's, which samples and hashes.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from enum import StrEnum

_FIELDS = ("model", "version")
_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogFormat(StrEnum):
    """Forms of a line."""

    TEXT = "text"
    JSON = "json"


class JsonFormatter(logging.Formatter):
    """Writes time (UTC), level, logger, event, and model and version where known.

    `_LOG.info("loaded", extra={"model": "shop", "version": 3})` names the two.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Returns one line."""
        moment = time.gmtime(record.created)
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", moment)
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {
            name: getattr(record, name) for name in _FIELDS if hasattr(record, name)
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(form: LogFormat, level: int = logging.INFO) -> None:
    """Sends the process's log to stderr in one form, whoever writes it."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter() if form is LogFormat.JSON else logging.Formatter(_TEXT)
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # A line a connection is no event of the server's.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    # TensorFlow's "Restoring parameters" says no more than our own LOADING.
    logging.getLogger("tensorflow").setLevel(logging.WARNING)
