import json
import logging
import sys

from serving.server.operations.logs import JsonFormatter


def line_of(**more):
    record = logging.LogRecord(
        "serving", logging.INFO, "", 1, "loaded %s", ("x",), None
    )
    record.created, record.msecs = 1_700_000_000.25, 250.0
    for name, value in more.items():
        setattr(record, name, value)
    return json.loads(JsonFormatter().format(record))


def test_a_line_is_one_object():
    assert line_of(model="shop", version=3) == {
        "time": "2023-11-14T22:13:20.250Z",
        "level": "INFO",
        "logger": "serving",
        "event": "loaded x",
        "model": "shop",
        "version": 3,
    }


def test_an_exception_stays_in_its_line():
    try:
        raise ValueError("two\nlines")
    except ValueError:
        line = line_of(exc_info=sys.exc_info())
    assert line["exception"].endswith("ValueError: two\nlines")
