"""Cuts a HTTP/1 connection into requests and refuses what can be read in two ways.

A proxy and a server that disagree on where a request ends let one client smuggle a
request into another's connection (RFC 9112, section 11.2). llhttp behind this sees only
bytes that admit one reading.
"""

from __future__ import annotations

import re
from enum import Enum, auto

_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"[0-9]{1,15}")
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,12}")
_BODY_HEADER = re.compile(
    rb"\r\n(content-length|transfer-encoding):[ \t]*([^\r]*?)[ \t]*(?=\r\n)"
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
    END = auto()
    """The empty line; trailers are refused."""


class Framing:
    """Follows the bytes of one connection and says to what they belong."""

    def __init__(self, max_head_bytes: int, max_body_bytes: int) -> None:
        """Takes the limits of a request."""
        self._max_head_bytes = max_head_bytes
        self._max_body_bytes = max_body_bytes
        self._pending = b""
        self._chunks: _Expected | None = None
        self._left = 0
        self._body_bytes = 0
        self.part = Part.IDLE

    def feed(self, data: bytes) -> tuple[bytes, BadRequestError | None]:
        """Returns the bytes that may be parsed, and why no more may follow.

        A head is held back until it is whole.
        """
        if self._pending:
            data = self._pending + data
        sound = 0
        error = None
        try:
            while sound < len(data):
                is_body = self.part is Part.BODY
                size = self._body(data, sound) if is_body else self._head(data, sound)
                if not size:
                    break
                sound += size
        except BadRequestError as refused:
            error = refused
        self._pending = data[sound:]
        return data[:sound], error

    def _head(self, data: bytes, start: int) -> int:
        """Returns the length of the head that begins at `start`, 0 if it is not whole.

        Raises:
            BadRequestError: it is too long or ambiguous.
        """
        self.part = Part.HEAD
        end = data.find(_END, start)
        head = data[start:] if end < 0 else data[start : end + len(_END)]
        if len(head) > self._max_head_bytes:
            raise BadRequestError(
                431, f"the headers are longer than {self._max_head_bytes} bytes"
            )
        # What is not whole is checked too: it may never become so.
        _check_lines(head if end >= 0 else head.removesuffix(b"\r"))
        if end < 0:
            return 0
        self._begin_body(head)
        return len(head)

    def _begin_body(self, head: bytes) -> None:
        self._body_bytes = self._left = 0
        self._chunks = None
        lengths, encodings = _body_headers(head)
        if encodings:
            if lengths or encodings != [b"chunked"] or _is_old(head):
                raise BadRequestError(
                    400,
                    "the length of the body is ambiguous: transfer-encoding must be "
                    "`chunked`, once, without content-length",
                )
            self._chunks = _Expected.SIZE
        elif lengths:
            if len(lengths) > 1 or not _LENGTH.fullmatch(lengths[0]):
                raise BadRequestError(400, "content-length must be one decimal number")
            self._left = int(lengths[0])
            self._count(self._left)
        self.part = Part.BODY if self._chunks or self._left else Part.IDLE

    def _body(self, data: bytes, start: int) -> int:
        """Returns how many bytes from `start` on belong to the body, as far as seen."""
        match self._chunks:
            case None:
                return self._data(len(data) - start, after=None)
            case _Expected.SIZE:
                return self._chunk_size(data, start)
            case _Expected.DATA:
                return self._data(len(data) - start, after=_Expected.LINE_END)
            case _Expected.LINE_END:
                return self._line_end(data, start, after=_Expected.SIZE)
            case _Expected.END:
                return self._line_end(data, start, after=None)

    def _data(self, there: int, after: _Expected | None) -> int:
        size = min(self._left, there)
        self._left -= size
        if not self._left:
            self._expect(after)
        return size

    def _chunk_size(self, data: bytes, start: int) -> int:
        end = data.find(b"\r\n", start, start + _LONGEST_CHUNK_HEAD)
        if end < 0:
            if len(data) - start < _LONGEST_CHUNK_HEAD:
                return 0
            raise _bad_chunk()
        size = data[start:end]
        if not _CHUNK_SIZE.fullmatch(size):  # an extension has no use here
            raise _bad_chunk()
        self._left = int(size, 16)
        self._count(self._left)
        self._chunks = _Expected.DATA if self._left else _Expected.END
        return end + len(b"\r\n") - start

    def _line_end(self, data: bytes, start: int, after: _Expected | None) -> int:
        found = data[start : start + len(b"\r\n")]
        if not b"\r\n".startswith(found):
            raise _bad_chunk()
        if found != b"\r\n":
            return 0
        self._expect(after)
        return len(found)

    def _expect(self, following: _Expected | None) -> None:
        """Goes on to the next part of a chunked body; None: the body ends."""
        self._chunks = following
        self.part = Part.IDLE if following is None else Part.BODY

    def _count(self, size: int) -> None:
        self._body_bytes += size
        if self._body_bytes > self._max_body_bytes:
            raise BadRequestError(
                413,
                f"the body is longer than {self._max_body_bytes} bytes; send fewer "
                "rows",
            )


def _body_headers(head: bytes) -> tuple[list[bytes], list[bytes]]:
    """Returns the values of content-length and transfer-encoding in lower case."""
    lengths: list[bytes] = []
    encodings: list[bytes] = []
    for name, value in _BODY_HEADER.findall(head.lower()):
        (lengths if name == b"content-length" else encodings).append(value)
    return lengths, encodings


def _check_lines(head: bytes) -> None:
    ends = head.count(b"\r\n")
    if head.count(b"\n") != ends or head.count(b"\r") != ends:
        raise BadRequestError(400, "lines must end with CR LF")
    if b"\n " in head or b"\n\t" in head:
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
