"""`tfrs-app storefront` of the toy shop: the page, its own server, what it refuses."""

import json
import re
import signal
import subprocess
import threading
from urllib.request import urlopen

import httpx
import pytest

from serving.server.server import running
from tests.integration.serving.clients import options_of
from tests.program import refusal, tfrs_app_command
from tests.toy_shop import parity_of

STARTS_S = 400
"""For what a busy machine may take: TensorFlow, the dataset, the model."""

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def started(*arguments):
    """Starts the command; returns the process and the page's address."""
    process = subprocess.Popen(
        tfrs_app_command("storefront", *arguments, "--port", "0"),
        stdout=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(STARTS_S, process.kill)
    watchdog.start()
    for line in process.stdout:
        if found := re.search(r"open (http://127\.0\.0\.1:\d+)", line):
            watchdog.cancel()
            return process, found[1]
    watchdog.cancel()
    raise AssertionError(f"it ended with {process.wait()}")


def test_the_command_brings_a_server_of_its_own_and_ends_in_peace(toy_run):
    process, url = started(*toy_run.options)
    try:
        assert b"<title>Storefront</title>" in urlopen(url).read()
        state = json.load(urlopen(f"{url}/api/state"))
        assert state["servers"][0]["online"]
        assert state["servers"][0]["explains"]
        shop = json.load(urlopen(f"{url}/api/shop"))
        assert shop["event_types"] == ["view", "purchase"]
        assert [field["name"] for field in shop["profile"]] == ["team"]
        assert {facet["name"] for facet in shop["facets"]} == {"colour", "price"}
    finally:
        process.send_signal(signal.SIGINT)
    assert "ended" in process.communicate(timeout=STARTS_S)[0]
    assert process.returncode == 0


def test_a_given_server_is_asked_for_the_datas_own_shoppers(toy_run):
    models = {"smoke": toy_run.stages.model_base}
    with running(options_of(models)) as addresses:
        process, url = started(*toy_run.options, "--server", addresses.rest)
        try:
            with httpx.Client(base_url=url, timeout=30) as page:
                told = page.get("/api/shoppers").json()["shoppers"][0]
                shopper = page.get(f"/api/shoppers/{told['shopper_id']}").json()
                body = {
                    "visitor": {
                        "events": [
                            {name: event[name] for name in ("item_id", "timestamp")}
                            for event in shopper["events"]
                        ],
                        "moment": shopper["moment"],
                        "features": shopper["features"],
                    },
                    "k": 5,
                }
                items = page.post("/api/recommend", json=body).json()["items"]
        finally:
            process.terminate()
            process.communicate(timeout=STARTS_S)
    had = {parity_of(event["item_id"]) for event in shopper["events"]}
    assert {parity_of(item["item_id"]) for item in items} == had
    assert all(set(item["probabilities"]) == {"view", "purchase"} for item in items)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--compare", "9"], "--compare 9: no such version is published; there are 1"),
        (["--server", "nowhere"], "address 'nowhere' must be host:port"),
        (["--timeout-s", "0"], "--timeout-s 0.0 must be above 0"),
    ],
)
def test_mistakes_are_told_in_one_sentence(toy_run, options, told):
    said = refusal("storefront", *toy_run.options, "--port", "0", *options)
    assert told in said
