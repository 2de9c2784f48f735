import math

import pytest

from serving.load.plan import Plan, check_address
from tfrs_app.contract.errors import ConfigError


def test_a_plan_knows_its_requests():
    assert Plan(rate=2.5, seconds=4).requests == 10
    assert Plan(rate=0.1, seconds=1).requests == 1


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"rate": 0}, "rate 0 must be above 0"),
        ({"rate": math.nan}, "rate nan must be"),
        ({"rate": 20_001}, "at most 20000"),
        ({"seconds": -1}, "seconds -1 must be above 0"),
        ({"seconds": 14_401}, "at most 14400"),
        ({"in_flight": 0}, "in_flight 0"),
        ({"in_flight": 5000}, "at most 4096"),
        ({"timeout_s": 0}, "timeout_s 0"),
        ({"swap_every_s": 0}, "swap_every_s 0"),
        ({"rate": 10_000, "seconds": 501}, "more than 5,000,000 requests"),
    ],
)
def test_bounds(options, match):
    with pytest.raises(ConfigError, match=match):
        Plan(**{"rate": 10, "seconds": 10, **options})


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1:8500", "http://127.0.0.1:1", "[::1]:8500", "localhost:1",
     "https://[::1]:1", "grpc://127.8.9.1:2"],
)  # fmt: skip
def test_this_machine_may_be_loaded(address):
    check_address(address, allow_remote=False)


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1:8500", "http://models:8501", "[2001:db8::1]:1", "0.0.0.0:1",
     "127.0.0.1.example.org:1", "https://localhost.example.org:1"],
)  # fmt: skip
def test_another_needs_leave(address):
    with pytest.raises(ConfigError, match="allow it with --allow-remote"):
        check_address(address, allow_remote=False)
    check_address(address, allow_remote=True)


def test_what_is_no_address_is_refused():
    with pytest.raises(ConfigError, match="must be host:port"):
        check_address("nowhere", allow_remote=True)
