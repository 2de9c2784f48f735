"""What the page is answered: JSON, errors in words, and whom they concern."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

import orjson
from starlette.requests import Request
from starlette.responses import Response

from serving.client import (
    AccessDenied,
    ClientError,
    DeadlineExceeded,
    InvalidRequest,
    ModelNotFound,
    Overloaded,
    Unavailable,
)
from serving.storefront.bodies import AnyBody, BadBody, read_body
from serving.storefront.exchanges import shown
from serving.storefront.models import hearing

MOST_BYTES = 1 << 20
_STATUS: Mapping[type[ClientError], int] = {
    InvalidRequest: 400,
    AccessDenied: 502,
    ModelNotFound: 404,
    Overloaded: 429,
    Unavailable: 503,
    DeadlineExceeded: 504,
}
_SERVER_FAULT = 502

T = TypeVar("T")


class Json(Response):
    """Writes JSON; what is no number becomes null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Returns the content as bytes."""
        return orjson.dumps(content)


def refusal(status: int, kind: str, says: str) -> Json:
    """Returns an error as the page reads it."""
    return Json({"error": {"kind": kind, "says": says}}, status_code=status)


def refused(error: ClientError) -> Json:
    """Returns what the client could not do."""
    kind = type(error)
    return refusal(_STATUS.get(kind, _SERVER_FAULT), kind.__name__, str(error))


async def body_of(request: Request) -> bytes:
    """Returns a request's body.

    Raises:
        BadBody: it is no JSON by its type, or too large.
    """
    told = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if told != "application/json":
        raise BadBody(
            f"content-type {told!r} is not taken; send JSON as application/json"
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise BadBody(f"the body is too large; send at most {MOST_BYTES} bytes")
    return bytes(body)


def answering(
    kind: type[AnyBody], answer: Callable[[AnyBody], Awaitable[dict[str, Any]]]
) -> Callable[[Request], Awaitable[Response]]:
    """Returns an endpoint: reads a body, answers, and tells what was asked for that.

    Args:
        kind: of the body.
        answer: returns what the page shows; a ClientError is told in words.
    """

    async def endpoint(request: Request) -> Response:
        try:
            body = read_body(kind, await body_of(request))
        except BadBody as error:
            return refusal(400, "BadBody", str(error))
        with hearing() as calls:
            try:
                content = await answer(body)
            except ClientError as error:
                return refused(error)
        return Json(content | {"calls": [shown(call) for call in calls]})

    return endpoint
