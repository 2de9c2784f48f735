"""uvicorn with our protocol, and an application that tells what it was sent."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest
import uvicorn

from serving.server.operations.http_protocol import limited
from serving.server.operations.limits import Limits
from tests.integration.serving.operations.sockets import Raw, statuses

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
BIG = 32 << 20
"""More than the buffers of both systems hold."""


async def echo(scope, receive, send):
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    if scope["path"] == "/slow":
        await asyncio.sleep(0.5)
    body = b"x" * BIG if scope["path"] == "/big" else b"%d." % size
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def echoing(**limits):
    config = uvicorn.Config(
        echo,
        http=limited(Limits(**limits)),
        lifespan="off",
        log_config=None,
        timeout_keep_alive=100,
    )
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def port():
    with echoing(max_body_bytes=1000, max_head_bytes=500) as number:
        yield number


@pytest.fixture(scope="module")
def hasty():
    """A server with short timeouts; the tests wait for it, never measure it."""
    with echoing(
        head_timeout_s=0.3, body_timeout_s=0.3, idle_timeout_s=0.6, write_timeout_s=0.5
    ) as number:
        yield number


def answer(port, *pieces, pause_s=0.0):
    with Raw(port) as connection:
        connection.send(*pieces, pause_s=pause_s)
        return connection.rest()


def test_a_connection_takes_several_requests_also_at_once(port):
    with Raw(port) as connection:
        for _ in range(2):
            connection.send(POST + b"Content-Length: 5\r\n\r\nhello")
            assert connection.until(b"5.").startswith(b"HTTP/1.1 200 OK")
        connection.send(GET + POST + b"Transfer-Encoding: chunked\r\n\r\n"
                        b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n")  # fmt: skip
        assert statuses(connection.until(b"7.")) == [200, 200]


def test_an_upgrade_is_ignored(port):
    upgrade = b"Connection: Upgrade\r\nUpgrade: h2c\r\n"
    with Raw(port) as connection:
        connection.send(b"GET / HTTP/1.1\r\nHost: a\r\n" + upgrade + b"\r\n")
        assert statuses(connection.until(b"0.")) == [200]


@pytest.mark.parametrize(
    "request_",
    [
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length : 5\r\n\r\nhello",
        POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 TLS here\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
)
def test_a_malformed_request_ends_its_connection(port, request_):
    smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    received = answer(port, request_ + smuggled)
    assert statuses(received) == [400]
    assert b"connection: close\r\n" in received
    assert b'{"error":"' in received


def test_what_follows_a_good_request_may_be_bad(port):
    received = answer(port, GET, b"GET / HTTP/1.1\nHost: a\n\n", pause_s=0.2)
    assert statuses(received) == [200, 400]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 600 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 600, 431),
        (POST + b"Content-Length: 1001\r\n\r\n", 413),
        (POST + b"Expect: 100-continue\r\nContent-Length: 70000000000\r\n\r\n", 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n"
         + (b"200\r\n" + b"a" * 512 + b"\r\n") * 2, 413),
    ],
)  # fmt: skip
def test_too_much_is_refused_before_all_of_it_is_there(port, request_, status):
    assert statuses(answer(port, request_)) == [status]


def test_a_client_that_goes_on_sending_still_reads_why(port):
    with Raw(port) as connection:
        connection.send(POST + b"Content-Length: 80000000\r\n\r\n")
        assert statuses(connection.rest()) == [413]
        for _ in range(3):  # no reset, which would take an unread answer away
            connection.socket.sendall(b"x" * 100_000)
            threading.Event().wait(0.1)


@pytest.mark.parametrize("begun", [GET[:9], POST + b"Content-Length: 9\r\n\r\nx"])
def test_a_kept_connection_may_idle_longer_than_dawdle(begun):
    with (
        echoing(head_timeout_s=0.3, body_timeout_s=0.3) as port,
        Raw(port) as connection,
    ):
        connection.send(GET)
        connection.until(b"0.")
        connection.send(begun)
        assert statuses(connection.rest()) == [408]


def test_slow_headers_end_with_408(hasty):
    received = answer(hasty, *[b"%c" % c for c in GET[:-2]], pause_s=0.05)
    assert statuses(received) == [408]


def test_a_slow_body_ends_with_408_and_others_are_served(hasty):
    head = POST + b"Content-Length: 500\r\n\r\n"
    with Raw(hasty) as slow:
        slow.send(head, b"x")
        with Raw(hasty) as other:
            other.send(GET)
            assert statuses(other.until(b"0.")) == [200]
        assert statuses(slow.rest()) == [408]


@pytest.mark.parametrize("sent", [b"", GET])
def test_an_idle_connection_is_closed(hasty, sent):
    assert len(statuses(answer(hasty, sent))) == (1 if sent else 0)


def test_a_slow_answer_is_no_idle_connection():
    with echoing(idle_timeout_s=0.2, head_timeout_s=0.2) as port:
        received = answer(port, b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
    assert statuses(received) == [200]


def test_an_answer_that_nobody_takes_is_dropped(hasty):
    with Raw(hasty) as reader:
        reader.send(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n")
        threading.Event().wait(1.5)  # longer than the write timeout
        assert len(reader.rest()) < BIG


def test_one_connection_too_many_is_turned_away():
    with echoing(max_connections=2) as port, Raw(port) as one, Raw(port) as two:
        for connection in (one, two):
            connection.send(GET)
            connection.until(b"0.")
        assert statuses(answer(port, GET)) == [503]
        two.send(GET)
        assert statuses(two.until(b"0.")) == [200]
