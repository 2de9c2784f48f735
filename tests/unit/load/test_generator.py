"""Requests leave on schedule, and latency counts from the schedule."""

import asyncio

import pytest

from serving.client.errors import ServerFault, Unavailable
from serving.load.generator import send_all
from serving.load.plan import Plan
from serving.load.record import Record


class Clock:
    """Time that passes by sleeping, or when somebody takes it."""

    def __init__(self):
        self.now = 50.0
        self.sleeps = []

    def __call__(self):
        return self.now

    async def sleep(self, seconds):
        self.sleeps.append(seconds)
        wake = self.now + seconds
        await asyncio.sleep(0)  # whoever can do something does it now
        self.now = max(self.now, wake)
        await asyncio.sleep(0)


def run(plan, ask, clock=None):
    clock = clock or Clock()
    record = Record(plan.requests)
    asyncio.run(
        asyncio.wait_for(send_all(plan, ask, record, clock, clock.sleep), timeout=30)
    )
    return record


def test_requests_are_due_at_equal_distances():
    async def ask(_number, _timeout_s):
        pass

    clock = Clock()
    record = run(Plan(rate=4, seconds=2), ask, clock)
    assert record.due_s.tolist() == pytest.approx([0.25 * n for n in range(8)])
    assert clock.sleeps == pytest.approx([0, *[0.25] * 7])
    assert record.failures == {}


def test_an_answer_that_does_not_come_delays_no_other_request():
    async def main():
        everybody_asked = asyncio.Event()

        async def ask(number, _timeout_s):
            if number == 9:
                everybody_asked.set()
            await everybody_asked.wait()  # a loop that waits for answers hangs here

        record = Record(10)
        clock = Clock()
        plan = Plan(rate=10, seconds=1)
        await asyncio.wait_for(send_all(plan, ask, record, clock, clock.sleep), 30)
        return record

    record = asyncio.run(main())
    # Each waited from its own due time to that of the last.
    assert record.latency_s.tolist() == pytest.approx([0.9 - n / 10 for n in range(10)])


def test_a_stall_counts_for_all_that_were_due_meanwhile():
    clock = Clock()

    async def ask(number, _timeout_s):
        if number == 2:
            clock.now += 1.0  # everything stands still

    record = run(Plan(rate=10, seconds=1), ask, clock)
    # Request 2 was due at .2 and ended at 1.2; those due before then left at 1.2, too.
    expected = [0, 0, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]
    assert record.latency_s.tolist() == pytest.approx(expected, abs=1e-6)
    assert record.late_s.tolist() == pytest.approx([0, 0, 0, *expected[3:]], abs=1e-6)


def test_what_left_too_late_has_failed_without_being_sent():
    clock, asked = Clock(), []

    async def ask(number, timeout_s):
        asked.append((number, timeout_s))
        if number == 0:
            clock.now += 0.75

    plan = Plan(rate=4, seconds=1, timeout_s=0.5)
    record = run(plan, ask, clock)
    # 1 and 2 were due at .25 and .5 and had .5 s each; 3 was due at .75.
    assert [number for number, _ in asked] == [0, 2, 3]
    assert dict(asked)[2] == pytest.approx(0.25)
    assert record.failures == {"DeadlineExceeded": 1}


def test_too_many_on_their_way_are_not_sent():
    async def main():
        release = asyncio.Event()
        asked = []

        async def ask(number, _timeout_s):
            asked.append(number)
            await release.wait()

        clock = Clock()
        record = Record(10)
        plan = Plan(rate=10, seconds=1, in_flight=3)
        sending = asyncio.create_task(send_all(plan, ask, record, clock, clock.sleep))
        while len(record.failures) == 0 or sum(record.failures.values()) < 7:
            await asyncio.sleep(0)
        release.set()
        await sending
        return record, asked

    record, asked = asyncio.run(main())
    assert asked == [0, 1, 2]
    assert record.failures == {"NotSent": 7}
    assert record.answered().tolist() == [True] * 3 + [False] * 7


def test_errors_are_counted_by_kind():
    async def ask(number, _timeout_s):
        if number % 2:
            raise Unavailable(f"full at {number}")
        if number == 4:
            raise ServerFault("boom")

    record = run(Plan(rate=10, seconds=1), ask)
    assert record.failures == {"Unavailable": 5, "ServerFault": 1}
    assert list(record.failures) == ["Unavailable", "ServerFault"]
    told = record.summary()["first_words"]
    assert told == {"Unavailable": "full at 1", "ServerFault": "boom"}


def test_our_own_mistake_ends_the_test():
    async def ask(_number, _timeout_s):
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught:
        run(Plan(rate=10, seconds=1), ask)
    assert caught.group_contains(ZeroDivisionError)
