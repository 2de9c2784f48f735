"""When a client asks again, how long it waits, and when it gives up."""

import asyncio

import pytest

from serving.client import (
    AccessDenied,
    AsyncRecommender,
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    Retries,
    ServerFault,
    Unavailable,
)
from serving.client.questions import Questions
from serving.client.retries import RetryBudget
from tests.unit.serving.client_server import Clock, Grpc, Rest, Script, client

ANSWER = {"y": [2.5]}


@pytest.fixture(params=[Rest, Grpc], ids=["rest", "grpc"])
def protocol(request):
    return request.param


def predict(asking, **options):
    return asking.predict("half", {"x": [1.0]}, **options)["y"].tolist()


def test_an_unavailable_server_is_asked_again_after_growing_pauses(protocol):
    down = protocol.unavailable
    replies = [protocol.metadata(), down, down, down, protocol.outputs(**ANSWER)]
    asking, script, clock = client(protocol, replies)
    assert predict(asking) == [2.5]
    assert clock.slept == [0.05, 0.1, 0.2]
    assert len(script.sent) == 5
    assert asking.counts() == {"requests": 2, "retries": 3}


def test_what_the_network_says_is_retried_as_well(protocol):
    reset = Unavailable("connection reset")
    replies = [reset, protocol.metadata(), reset, protocol.outputs(**ANSWER)]
    asking, _, clock = client(protocol, replies)
    assert predict(asking) == [2.5]
    assert clock.slept == [0.05, 0.05]


def test_pauses_are_drawn_between_nothing_and_a_bound(protocol):
    replies = [protocol.metadata(), *[protocol.unavailable] * 7]
    retries = Retries(attempts=7, first_pause_s=0.1, longest_pause_s=0.5)
    asking, _, clock = client(protocol, replies, retries=retries, draw=0.5)
    with pytest.raises(Unavailable):
        predict(asking)
    assert clock.slept == pytest.approx([0.05, 0.1, 0.2, 0.25, 0.25, 0.25])


def test_attempts_are_bounded(protocol):
    replies = [protocol.metadata(), *[protocol.unavailable] * 9]
    asking, script, _ = client(protocol, replies, retries=Retries(attempts=2))
    with pytest.raises(Unavailable, match="queue is full"):
        predict(asking)
    assert len(script.sent) == 1 + 2
    assert asking.counts() == {"requests": 2, "retries": 1, "Unavailable": 1}


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        ("invalid", InvalidRequest),
        ("overloaded", Overloaded),
        ("fault", ServerFault),
        ("missing", ModelNotFound),
        ("denied", AccessDenied),
        ("late", DeadlineExceeded),
        ("garbage", ServerFault),
    ],
)
def test_nothing_else_is_retried(protocol, failure, error):
    replies = [protocol.metadata(), getattr(protocol, failure)]
    asking, script, clock = client(protocol, replies)
    with pytest.raises(error):
        predict(asking)
    assert (len(script.sent), clock.slept) == (2, [])


def test_the_time_is_one_for_all_attempts(protocol):
    slow, down = (0.5, protocol.unavailable), protocol.unavailable
    replies = [(1.0, protocol.metadata()), slow, down, protocol.outputs(**ANSWER)]
    asking, script, _ = client(protocol, replies, timeout_s=3.0)
    assert predict(asking) == [2.5]
    assert script.timeouts == pytest.approx([3.0, 2.0, 1.45, 1.35])


def test_a_call_may_have_a_time_of_its_own(protocol):
    replies = [protocol.metadata(), protocol.outputs(**ANSWER)]
    asking, script, _ = client(protocol, replies, timeout_s=3.0)
    predict(asking, timeout_s=0.25)
    assert script.timeouts == [0.25, 0.25]


@pytest.mark.parametrize("timeout_s", [0, -1.0, float("nan")])
def test_a_time_that_is_none_is_refused(protocol, timeout_s):
    asking, script, _ = client(protocol, [])
    with pytest.raises(InvalidRequest, match=r"timeout_s .* must be above 0"):
        predict(asking, timeout_s=timeout_s)
    assert script.sent == []


def test_no_pause_goes_beyond_the_deadline(protocol):
    replies = [protocol.metadata(), (0.9, protocol.unavailable)]
    retries = Retries(first_pause_s=0.2)
    asking, _, clock = client(protocol, replies, timeout_s=1.0, retries=retries)
    with pytest.raises(Unavailable):  # it is known sooner than at the deadline
        predict(asking)
    assert clock.slept == []


def test_nothing_is_sent_once_the_time_is_over(protocol):
    replies = [(2.0, protocol.metadata()), protocol.outputs(**ANSWER)]
    asking, script, _ = client(protocol, replies, timeout_s=1.0)
    with pytest.raises(DeadlineExceeded, match="no answer within 1 s"):
        predict(asking)
    assert len(script.sent) == 1


def test_the_budget_ends_retries_of_many_calls(protocol):
    calls = 40
    replies = [protocol.metadata(), *[protocol.unavailable] * calls * 4]
    asking, script, _ = client(protocol, replies, retries=Retries(budget=5))
    for _ in range(calls):
        with pytest.raises(Unavailable):
            predict(asking)
    # 5 in hand; the calls after the first bring in 3.9, of which 3 are whole.
    assert len(script.sent) - 1 == pytest.approx(calls + 5 + 3, abs=1)
    assert asking.counts()["Unavailable"] == calls


def test_a_budget_fills_up_by_tenths_to_its_size():
    budget = RetryBudget(2)
    assert [budget.spend() for _ in range(3)] == [True, True, False]
    for _ in range(9):
        budget.earn()
    assert not budget.spend()
    budget.earn()
    budget.earn()
    assert budget.spend()
    assert not budget.spend()
    for _ in range(100):
        budget.earn()
    assert [budget.spend() for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"attempts": 0}, "attempts 0 must be at least 1"),
        ({"first_pause_s": -1}, "first_pause_s -1 must not be below 0"),
        ({"longest_pause_s": -0.5}, "longest_pause_s -0.5"),
        ({"budget": -1}, "budget -1"),
    ],
)
def test_impossible_numbers_are_refused(options, match):
    with pytest.raises(InvalidRequest, match=match):
        Retries(**options)


def test_huge_attempts_do_not_overflow():
    retries = Retries(attempts=10_000, longest_pause_s=2.0)
    assert retries.pause_s(9_999, lambda: 1.0) == 2.0


def test_tasks_wait_as_threads_do(protocol):
    clock = Clock()
    script = Script(
        clock,
        [protocol.metadata(), protocol.unavailable, protocol.outputs(**ANSWER)],
    )

    class Transport:
        async def send(self, request, timeout_s):
            return script.send(request, timeout_s)

        async def close(self):
            pass

    async def sleep(seconds):
        clock.sleep(seconds)

    async def ask():
        questions = Questions(
            protocol.dialect, timeout_s=5.0, retries=Retries(), clock=clock,
            draw=lambda: 1.0,
        )  # fmt: skip
        async with AsyncRecommender(questions, Transport(), sleep) as asking:
            return (await asking.predict("half", {"x": [1.0]}))["y"].tolist()

    assert asyncio.run(ask()) == [2.5]
    assert clock.slept == [0.05]


def test_a_closed_client_says_so(protocol):
    asking, _, _ = client(protocol, [])
    asking.close()
    with pytest.raises(InvalidRequest, match="closed"):
        asking.status()
