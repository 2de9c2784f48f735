"""Cuts a HTTP/1 connection into requests and refuses what can be read in two ways.

A proxy and a server that disagree on where a request ends let one client smuggle a
request into another's connection (RFC 9112, section 11.2). llhttp behind this sees only
bytes that admit one reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,12}")
_BODY_HEADER = re.compile(
    rb"\r\n(content-length|transfer-encoding):[ \t]*([^\r]*?)[ \t]*(?=\r\n)",
    re.IGNORECASE,
)
_LONGEST_CHUNK_HEAD = 16


class BadRequestError(Exception):
    """Reports why a connection is closed.

    Attributes:
        status: of the answer that is sent before.
        reason: one sentence for the client.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Part(Enum):
    """Parts of a connection that bytes can belong to."""

    IDLE = auto()
    """Between two requests."""
    HEAD = auto()
    BODY = auto()


class _Expected(Enum):
    """What comes next of a chunked body."""

    SIZE = auto()
    DATA = auto()
    LINE_END = auto()
    TRAILER = auto()


class Framing:
    """Follows the bytes of one connection and says to what they belong."""

    def __init__(self, max_head_bytes: int, max_body_bytes: int) -> None:
        """Takes the limits of a request."""
        self._max_head_bytes = max_head_bytes
        self._max_body_bytes = max_body_bytes
        self._pending = bytearray()
        self._chunks: _Expected | None = None
        self._left = 0
        self._body_bytes = 0
        self.part = Part.IDLE

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yields the bytes that may be parsed, in order; a head only when it is whole.

        Raises:
            BadRequestError: the request is malformed, ambiguous or too large.
        """
        self._pending += data
        while self._pending:
            piece = self._head() if self.part is not Part.BODY else self._body()
            if not piece:
                return
            yield piece

    def _head(self) -> bytes:
        self.part = Part.HEAD
        end = self._pending.find(_END)
        size = len(self._pending) if end < 0 else end + len(_END)
        if size > self._max_head_bytes:
            raise BadRequestError(
                431, f"the headers are longer than {self._max_head_bytes} bytes"
            )
        # What is not whole is checked too: it may never become so.
        head = bytes(self._pending[:size])
        _check_lines(head if end >= 0 else head.removesuffix(b"\r"))
        if end < 0:
            return b""
        self._begin_body(head)
        return self._take(size)

    def _begin_body(self, head: bytes) -> None:
        lengths: list[bytes] = []
        encodings: list[bytes] = []
        for name, value in _BODY_HEADER.findall(head):
            (lengths if name.lower() == b"content-length" else encodings).append(value)
        self._body_bytes = 0
        if encodings:
            wanted = len(encodings) == 1 and encodings[0].lower() == b"chunked"
            if lengths or not wanted or _is_old(head):
                raise BadRequestError(
                    400,
                    "the length of the body is ambiguous: transfer-encoding must "
                    "be `chunked`, once, without content-length",
                )
            self._chunks, self._left = _Expected.SIZE, 0
            self.part = Part.BODY
            return
        if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
            raise BadRequestError(400, "content-length must be one decimal number")
        self._chunks = None
        self._left = int(lengths[0]) if lengths else 0
        self._count(self._left)
        self.part = Part.BODY if self._left else Part.IDLE

    def _body(self) -> bytes:
        if self._chunks is None:
            return self._data(after=None)
        match self._chunks:
            case _Expected.SIZE:
                return self._chunk_size()
            case _Expected.DATA:
                return self._data(after=_Expected.LINE_END)
            case _Expected.LINE_END:
                return self._line_end()
            case _Expected.TRAILER:
                return self._no_trailer()

    def _data(self, after: _Expected | None) -> bytes:
        piece = self._take(min(self._left, len(self._pending)))
        self._left -= len(piece)
        if not self._left:
            self._chunks = after
            self.part = Part.BODY if after else Part.IDLE
        return piece

    def _chunk_size(self) -> bytes:
        end = self._pending.find(b"\r\n", 0, _LONGEST_CHUNK_HEAD)
        if end < 0:
            if len(self._pending) < _LONGEST_CHUNK_HEAD and b"\n" not in self._pending:
                return b""
            raise _bad_chunk()
        size = bytes(self._pending[:end])
        if not _CHUNK_SIZE.fullmatch(size):  # an extension has no use here
            raise _bad_chunk()
        self._left = int(size, 16)
        self._count(self._left)
        self._chunks = _Expected.DATA if self._left else _Expected.TRAILER
        return self._take(end + 2)

    def _line_end(self) -> bytes:
        if not b"\r\n".startswith(self._pending[:2]):
            raise _bad_chunk()
        if len(self._pending) < len(b"\r\n"):
            return b""
        self._chunks = _Expected.SIZE
        return self._take(2)

    def _no_trailer(self) -> bytes:
        piece = self._line_end()
        if piece:
            self._chunks, self.part = None, Part.IDLE
        return piece

    def _count(self, size: int) -> None:
        self._body_bytes += size
        if self._body_bytes > self._max_body_bytes:
            raise BadRequestError(
                413,
                f"the body is longer than {self._max_body_bytes} bytes; send fewer "
                "rows",
            )

    def _take(self, size: int) -> bytes:
        piece = bytes(self._pending[:size])
        del self._pending[:size]
        return piece


def _check_lines(head: bytes) -> None:
    ends = head.count(b"\r\n")
    if head.count(b"\n") != ends or head.count(b"\r") != ends:
        raise BadRequestError(400, "lines must end with CR LF")
    if b"\r\n " in head or b"\r\n\t" in head:
        raise BadRequestError(400, "a header must not be folded over several lines")
    if b"\0" in head:
        raise BadRequestError(400, "the headers hold a NUL byte")


def _is_old(head: bytes) -> bool:
    """Tells whether a request is of HTTP/1.0, which knows no chunks."""
    return head.lstrip().split(b"\r\n", 1)[0].endswith(b"HTTP/1.0")


def _bad_chunk() -> BadRequestError:
    return BadRequestError(
        400, "a chunk must be its size in hexadecimal digits, CR LF, data, CR LF"
    )
