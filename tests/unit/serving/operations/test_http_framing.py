import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.server.operations.http_framing import BadRequestError, Framing, Part

GET = b"GET /v1/models/m HTTP/1.1\r\nHost: a\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: a\r\n"
LIMIT = 100


def fed(*pieces):
    framing = Framing(max_head_bytes=200, max_body_bytes=LIMIT)
    out = b""
    for piece in pieces:
        sound, error = framing.feed(piece)
        out += sound
        if error is not None:
            raise error
    return out, framing.part


def test_what_precedes_a_fault_is_sound():
    framing = Framing(200, LIMIT)
    sound, error = framing.feed(GET + b"GET / HTTP/1.1\nHost: a\n\n")
    assert sound == GET
    assert error.status == 400


@pytest.mark.parametrize(
    "stream",
    [
        GET,
        GET + GET,
        b"\r\n" + GET,
        POST + b"Content-Length: 5\r\n\r\nhello" + GET,
        POST + b"content-length:0\r\n\r\n" + GET,
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
        b"0A\r\n0123456789\r\n0\r\n\r\n" + GET,
        POST + b"Transfer-Encoding: Chunked \r\n\r\n0\r\n\r\n",
        POST + b"X-Content-Length: 7\r\nX: Transfer-Encoding: chunked\r\n\r\n",
    ],
)  # fmt: skip
def test_sound_requests_pass_unchanged_however_they_are_cut(stream):
    assert fed(stream) == (stream, Part.IDLE)
    bytewise = [stream[i : i + 1] for i in range(len(stream))]
    assert fed(*bytewise) == (stream, Part.IDLE)


@given(st.lists(st.integers(0, 120), max_size=6))
def test_any_cut_gives_the_same(cuts):
    stream = POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + GET
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in itertools.pairwise(edges)]
    assert fed(*pieces) == (stream, Part.IDLE)


@pytest.mark.parametrize(
    ("stream", "part"),
    [
        (b"", Part.IDLE),
        (b"GET / HT", Part.HEAD),
        (GET + b"G", Part.HEAD),
        (POST + b"Content-Length: 5\r\n\r\nhell", Part.BODY),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", Part.BODY),
    ],
)
def test_it_knows_what_it_waits_for(stream, part):
    assert fed(stream)[1] is part


@pytest.mark.parametrize(
    "stream",
    [
        POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        POST + b"Content-Length: 5, 5\r\n\r\nhello",
        POST + b"Content-Length: +5\r\n\r\nhello",
        POST + b"Content-Length: 5 5\r\n\r\nhello",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 0x5\r\n\r\nhello",
        POST + b"Content-Length:\r\n\r\n",
        POST + b"Content-Length: 99999999999999999999\r\n\r\n",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: identity\r\n\r\n",
        POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\r\nPOST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0;a\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloo\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n",
        POST + b"Transfer-Encoding: chunked\r\n\r\n00000000000000005\r\nhello",
        POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(stream):
    with pytest.raises(BadRequestError) as refused:
        fed(stream)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("stream", "status"),
    [
        (b"GET /" + b"a" * 300, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 300 + b"\r\n\r\n", 431),
        (POST + b"Content-Length: 101\r\n\r\n", 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n65\r\n", 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n"
         + (b"33\r\n" + b"a" * 51 + b"\r\n") * 2, 413),
    ],
)  # fmt: skip
def test_what_is_too_long_is_refused_before_it_is_read(stream, status):
    with pytest.raises(BadRequestError) as refused:
        fed(stream)
    assert refused.value.status == status


def test_bodies_of_several_requests_do_not_add_up():
    stream = POST + b"Content-Length: 60\r\n\r\n" + b"a" * 60
    assert fed(stream * 3) == (stream * 3, Part.IDLE)


def test_the_longest_body_is_taken():
    stream = POST + b"Content-Length: 100\r\n\r\n" + b"a" * 100
    assert fed(stream) == (stream, Part.IDLE)
