"""`tfrs-app load-test` against a real server, over both protocols, at toy size."""

import json

import pytest

from serving.server.server import running
from tests.integration.serving.clients import options_of
from tests.program import refusal, tfrs_app
from tfrs_app.cli.load_test import shoppers_of_the_test_window

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

SMALL = ["--rate", "20", "--seconds", "2", "-k", "5", "--users", "30"]


@pytest.fixture(scope="module")
def server(toy_run):
    with running(options_of({"smoke": toy_run.stages.model_base})) as addresses:
        yield addresses


def load_test(toy_run, address, *options):
    done = tfrs_app(
        "load-test", *toy_run.options, "--server", address, *SMALL, *options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("protocol", ["grpc", "rest"])
@pytest.mark.parametrize("signature", ["serving_default", "retrieve"])
def test_every_request_is_answered(toy_run, server, protocol, signature):
    address = getattr(server, protocol)
    told = load_test(toy_run, address, "--json", "--signature", signature)
    figures = json.loads(told)
    assert figures["requests"] == figures["answered"] == 40
    assert figures["failures"] == {}
    assert figures["latency_ms"]["p50"] > 0
    assert (figures["address"], figures["signature"]) == (address, signature)
    name = figures["at"].replace(":", "").replace("-", "").replace("+0000", "Z")
    written = toy_run.stages.layout.loads / f"{name}.json"
    assert json.loads(written.read_text()) == figures
    assert written.with_suffix(".html").read_text().count("<svg") == 1


def test_the_table_is_for_people(toy_run, server):
    told = load_test(toy_run, server.grpc)
    assert "latency p99" in told
    assert "40 (100.000%)" in told
    assert "load report" in told


def test_versions_come_and_go_meanwhile(toy_run, server):
    base = toy_run.stages.model_base
    before = sorted(folder.name for folder in base.iterdir())
    figures = json.loads(
        load_test(toy_run, server.rest, "--json", "--swap-every", "0.5")
    )
    assert figures["failures"] == {}
    assert len(figures["swaps"]) >= 1
    assert sorted(folder.name for folder in base.iterdir()) == before


def test_the_users_are_those_of_the_test_window(toy_run):
    dataset = toy_run.stages.encoded.dataset
    length = 50
    drawn = shoppers_of_the_test_window(dataset, length, users=7, seed=1)
    again = shoppers_of_the_test_window(dataset, length, users=7, seed=1)
    other = shoppers_of_the_test_window(dataset, length, users=7, seed=2)
    assert len(drawn) == 7
    assert [s.history for s in drawn] == [s.history for s in again]
    assert [s.history for s in drawn] != [s.history for s in other]
    start = dataset.split.test_start
    for shopper in drawn:
        assert shopper.timestamps[-1] >= start
        assert shopper.timestamp > shopper.timestamps[-1]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (["--server", "10.1.2.3:8500"], "not this machine's loopback"),
        (["--rate", "0"], "rate 0 must be above 0"),
        (["--signature", "similar"], "no signature 'similar'"),
        (["--server", "nowhere"], "must be host:port"),
        (["--server-pid", "4194305"], "no such process"),
    ],
)
def test_mistakes_are_one_sentence(toy_run, server, options, match):
    given = ["load-test", *toy_run.options, "--server", server.grpc, *SMALL, *options]
    assert match in refusal(*given)


def test_a_server_that_is_not_there_is_told(toy_run):
    told = refusal("load-test", *toy_run.options, "--server", "127.0.0.1:1", *SMALL)
    assert "127.0.0.1:1" in told
