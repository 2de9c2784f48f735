"""What people read of a load test."""

import json
import os
import subprocess
import sys

import pytest

from serving.load.memory import resident_mib
from serving.load.page import figures_of, page, rows_of
from serving.load.plan import Plan
from serving.load.record import Record
from serving.load.session import Outcome
from serving.load.swaps import Swap
from tfrs_app.contract.errors import ConfigError

ABOUT = {
    "at": "2026-01-02T03:04:05+00:00", "address": "127.0.0.1:1", "model": "<shop>",
    "signature": "serving_default", "k": 20, "shoppers": 7,
}  # fmt: skip


def outcome(failed=()):
    record = Record(4)
    for number in range(4):
        failure = "Unavailable" if number in failed else ""
        latency_s = 0.002 * (number + 1)
        record.add(number, number * 1.0, 0.0, latency_s, failure, f"<full> {number}")
    return Outcome(
        record,
        [Swap(8, 0.5, 1.25), Swap(9, 2.5, None)],
        [(0.0, 100.0), (1.0, 150.0), (2.0, 120.0)],
    )


def test_the_table_tells_everything():
    rows = dict(rows_of(figures_of(Plan(1, 4), ABOUT, outcome(failed=[1]))))
    assert rows["requests"] == "4"
    assert rows["answered"] == "3 (75.000%)"
    assert rows["failed: Unavailable"] == "1; the first: <full> 1"
    assert rows["latency p50"] == "6.00 ms"
    assert rows["latency max"] == "8.00 ms"
    assert rows["versions published"] == "2, 1 served, after 1.2 s at most"
    assert rows["server's memory"] == "100 MiB, 120 at the end, 150 at most"


def test_figures_are_json_and_the_page_stands_alone():
    figures = json.loads(json.dumps(figures_of(Plan(1, 4), ABOUT, outcome())))
    text = page(figures)
    assert text.startswith("<!doctype html>")
    assert "&lt;shop&gt;" in text
    assert "<shop>" not in text
    assert text.count("<svg") == 2
    assert "http" not in text.replace("https://", "http").split("<body>")[1]


def test_a_test_without_an_answer_has_a_page_too():
    figures = figures_of(Plan(1, 4), ABOUT, outcome(failed=range(4)))
    assert dict(rows_of(figures))["answered"] == "0 (0.000%)"
    text = page(figures)
    assert text.count("<svg") == 3
    assert "4; the first: &lt;full&gt; 0" in text


def test_memory_counts_what_a_process_started():
    code = "import subprocess; print(flush=True); subprocess.run(['sleep', '60'])"
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        process.stdout.readline()  # it is up
        try:
            own = resident_mib(os.getpid())
            assert own > resident_mib(process.pid) > 1
        finally:
            process.terminate()
    with pytest.raises(ConfigError, match="no such process"):
        resident_mib(2**22 + 1)
