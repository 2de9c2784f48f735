"""When batches form, what they hold, and who gets which answer or error."""

import os
import sys
import threading
import time

import grpc
import numpy as np
import pytest

from serving.server.errors import ServingError
from tests.unit.serving.batching.graphs import PoisonedError, floats

HOUR_MICROS = 3_600_000_000


def code_of(future):
    with pytest.raises(ServingError) as caught:
        future.result(60)
    return caught.value.code


def test_what_queued_while_a_batch_ran_is_the_next_batch(batcher):
    ask = batcher(max_batch_size=100)
    ask.occupy()
    answers = [ask("halve", x=floats(n)) for n in range(5)]
    answers.append(ask("halve", x=floats(5, 6, 7)))
    assert ask.batcher.waiting_rows == 8
    ask.graph.release()
    assert [a.result(60)["y"].tolist() for a in answers] == [
        [0.0],
        [0.5],
        [1.0],
        [1.5],
        [2.0],
        [2.5, 3.0, 3.5],
    ]
    assert ask.batches() == [[0, 1, 2, 3, 4, 5, 6, 7]]
    assert ask.batcher.waiting_rows == 0


def test_without_a_timeout_nobody_waits_for_company(batcher):
    assert batcher(max_batch_size=100)("halve", x=floats(4)).result(60)["y"] == [2]


@pytest.mark.skipif(sys.platform != "linux", reason="priorities of threads")
def test_batches_leave_the_cores_to_those_who_read(batcher):
    def niceness(thread):
        return os.getpriority(os.PRIO_PROCESS, thread.native_id)

    ask = batcher(max_batch_size=100)
    assert ask("halve", x=floats(4)).result(60)["y"] == [2]
    here = niceness(threading.current_thread())
    threads = [t for t in threading.enumerate() if t.name.startswith("batch-")]
    assert {niceness(t) for t in threads} == {min(here + 5, 19)}


def test_a_full_batch_does_not_wait_for_its_timeout(batcher):
    ask = batcher(max_batch_size=4, batch_timeout_micros=HOUR_MICROS)
    first = ask("halve", x=floats(100, 42))
    assert not first.done()
    second = ask("halve", x=floats(71.5, 18.3))
    np.testing.assert_allclose(first.result(60)["y"], [50, 21])
    np.testing.assert_allclose(second.result(60)["y"], [35.75, 9.15])
    assert [len(batch) for batch in ask.batches()] == [4]


def test_a_batch_closes_when_the_next_task_does_not_fit(batcher):
    ask = batcher(max_batch_size=4, batch_timeout_micros=HOUR_MICROS)
    first = ask("halve", x=floats(1, 2, 3))
    second = ask("halve", x=floats(4, 5))
    assert first.result(60)["y"].tolist() == [0.5, 1, 1.5]
    assert not second.done()
    assert ask.batches() == [[1, 2, 3]]


def test_a_batch_that_is_not_full_leaves_at_its_timeout(batcher):
    ask = batcher(max_batch_size=4, batch_timeout_micros=1000)
    assert ask("halve", x=floats(2)).result(60)["y"] == [1]


def test_batches_of_waiting_tasks_are_as_large_as_may_be(batcher):
    ask = batcher(max_batch_size=4)
    ask.occupy()
    for n in range(10):
        ask("halve", x=floats(n))
    ask.close()
    assert ask.batches() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_signatures_never_share_a_batch_and_the_oldest_goes_first(batcher):
    ask = batcher()
    ask.occupy()
    ask("plain", m=np.ones((1, 2), np.float32))
    ask("halve", x=floats(1))
    ask("plain", m=np.zeros((1, 2), np.float32))
    ask.close()
    plain, halve = ask.graph.batches
    assert plain["m"].tolist() == [[1, 1], [0, 0]]
    assert halve["x"].tolist() == [1]


def test_a_full_queue_refuses_and_other_signatures_are_not_hit(batcher):
    ask = batcher(max_batch_size=2, max_enqueued_batches=3)
    ask.occupy()
    taken = [ask("halve", x=floats(n, n)) for n in range(3)]
    with pytest.raises(ServingError, match="queue to which this task was") as caught:
        ask("halve", x=floats(9))
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    other = ask("plain", m=np.ones((1, 1), np.float32))
    ask.graph.release()
    assert [a.result(60)["y"].tolist() for a in taken] == [[0, 0], [0.5, 0.5], [1, 1]]
    assert other.result(60)["n"] == [[2]]
    assert ask("halve", x=floats(9)).result(60)["y"] == [4.5]  # there is room again


@pytest.mark.parametrize("late", [[0], [1], [0, 1, 2]], ids=["first", "second", "all"])
def test_what_nobody_waits_for_any_more_is_dropped_before_it_runs(batcher, late):
    ask = batcher()
    ask.occupy()
    past = time.monotonic() - 1
    answers = [
        ask("halve", x=floats(n), **({"deadline": past} if n in late else {}))
        for n in range(3)
    ]
    ask.graph.release()
    for n, answer in enumerate(answers):
        if n in late:
            assert code_of(answer) is grpc.StatusCode.DEADLINE_EXCEEDED
        else:
            assert answer.result(60)["y"].tolist() == [n / 2]
    ask.close()
    kept = [n for n in range(3) if n not in late]
    assert ask.batches() == ([kept] if kept else [])


def test_a_cancelled_request_is_not_run(batcher):
    ask = batcher()
    ask.occupy()
    gone, stays = ask("halve", x=floats(1)), ask("halve", x=floats(2))
    assert gone.cancel()
    ask.graph.release()
    assert stays.result(60)["y"] == [1]
    assert ask.batches() == [[2]]


def test_batch_mates_do_not_get_each_others_errors(batcher):
    ask = batcher()
    ask.occupy()
    sent = [floats(2), floats(float("nan")), floats(6, 8)]
    first, poison, last = (ask("halve", x=x) for x in sent)
    ask.graph.release()
    assert first.result(60)["y"] == [1]
    assert last.result(60)["y"].tolist() == [3, 4]
    with pytest.raises(PoisonedError):
        poison.result(60)
    np.testing.assert_equal(ask.batches()[1:], [x.tolist() for x in sent])


def test_the_thread_survives_whatever_the_graph_raises(batcher):
    ask = batcher()
    with pytest.raises(PoisonedError):
        ask("halve", x=floats(float("nan"))).result(60)
    assert ask("halve", x=floats(2)).result(60)["y"] == [1]


@pytest.mark.parametrize("rows", [[4], [1, 1]])
def test_outputs_without_the_batchs_rows_are_refused(batcher, rows):
    ask = batcher()
    ask.occupy()
    answers = [ask("sum", x=np.ones(n, np.float32)) for n in rows]
    ask.graph.release()
    for answer in answers:
        assert code_of(answer) is grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize(
    ("sent", "run"),
    [
        ([[5]], [5, 5]),
        ([[5], [6, 7]], [5, 6, 7, 6]),
        ([[1, 2]], [1, 2]),
        ([[1, 2], [3, 4], [5]], [1, 2, 3, 4, 5, 5, 5, 5]),
    ],
)
def test_batches_are_filled_up_with_the_last_tasks_first_row(batcher, sent, run):
    ask = batcher(max_batch_size=8, allowed_batch_sizes=(2, 4, 8))
    ask.occupy()
    answers = [ask("halve", x=floats(*values)) for values in sent]
    ask.graph.release()
    for answer, values in zip(answers, sent, strict=True):
        assert answer.result(60)["y"].tolist() == [value / 2 for value in values]
    assert ask.batches() == [run]


def test_no_rows_are_answered_without_the_graph(batcher):
    ask = batcher()
    assert ask("halve", x=floats()).result(0)["y"].shape == (0,)
    empty = ask("join", words=np.empty((0, 3), object)).result(0)["text"]
    assert (empty.dtype, empty.shape) == (object, (0,))
    assert ask.graph.batches == []


def test_a_request_larger_than_a_batch_is_refused(batcher):
    with pytest.raises(ServingError, match="Task size 3 is larger than") as caught:
        batcher(max_batch_size=2)("halve", x=floats(1, 2, 3))
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize(
    ("execution_size", "run"), [(None, [[1, 2, 3], [4, 5]]), (2, [[1, 2], [3, 4], [5]])]
)
def test_with_splitting_it_runs_in_parts(batcher, execution_size, run):
    ask = batcher(
        max_batch_size=3,
        enable_large_batch_splitting=True,
        max_execution_batch_size=execution_size,
    )
    answer = ask("halve", x=floats(1, 2, 3, 4, 5)).result(60)["y"]
    assert answer.tolist() == [0.5, 1, 1.5, 2, 2.5]
    assert ask.batches() == run


def test_a_part_that_fails_fails_the_request_and_not_its_batch_mates(batcher):
    ask = batcher(max_batch_size=2, enable_large_batch_splitting=True)
    ask.occupy()
    split = ask("halve", x=floats(1, 2, float("nan")))
    other = ask("halve", x=floats(4))
    ask.graph.release()
    assert other.result(60)["y"] == [2]
    with pytest.raises(PoisonedError):
        split.result(60)


def test_parts_are_queued_all_or_none(batcher):
    limits = {"max_batch_size": 2, "max_enqueued_batches": 2}
    ask = batcher(**limits, enable_large_batch_splitting=True)
    ask.occupy()
    ask("halve", x=floats(1))
    with pytest.raises(ServingError, match="is full"):
        ask("halve", x=floats(1, 2, 3, 4))
    with pytest.raises(ServingError, match="larger than the queue") as caught:
        ask("halve", x=floats(1, 2, 3, 4, 5))
    assert caught.value.code is grpc.StatusCode.INVALID_ARGUMENT
    assert ask.batcher.waiting_rows == 1


def test_without_batching_requests_run_one_by_one_and_the_queue_ends(batcher):
    ask = batcher(batching=False)
    ask.graph.hold()
    running = len(ask.batcher._scheduler._threads)
    answers = [ask("sum", x=floats(n, 1)) for n in range(running)]
    for _ in answers:
        assert ask.graph.entered.acquire(timeout=60)
    waiting = [ask("sum", x=floats(n, 2)) for n in range(1000)]
    with pytest.raises(ServingError, match="is full"):
        ask("sum", x=floats(1))
    ask.graph.release()
    assert [a.result(60)["total"] for a in answers] == [n + 1 for n in range(running)]
    assert [a.result(60)["total"] for a in waiting] == [n + 2 for n in range(1000)]


def test_closing_waits_for_what_runs_and_what_waits(batcher):
    ask = batcher(batch_timeout_micros=HOUR_MICROS)
    ask.graph.hold()
    waits = ask("halve", x=floats(2))
    closing = threading.Thread(target=ask.batcher.close)
    closing.start()
    assert ask.graph.entered.acquire(timeout=60)  # closing ends the timeout
    assert closing.is_alive()
    with pytest.raises(ServingError, match="unloaded") as caught:
        ask("halve", x=floats(1))
    assert caught.value.code is grpc.StatusCode.UNAVAILABLE
    ask.graph.release()
    closing.join(60)
    assert waits.result(0)["y"] == [1]


def test_as_many_batches_run_as_there_are_threads(batcher):
    ask = batcher(num_batch_threads=3)
    ask.graph.hold()
    for n in range(3):
        ask("plain", m=np.ones((1, n + 1), np.float32))
        assert ask.graph.entered.acquire(timeout=60)
    ask.close()
    assert ask.graph.threads == {f"batch-test-{n}" for n in range(3)}
