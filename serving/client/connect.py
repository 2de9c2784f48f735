"""Makes a client; the address chooses the protocol."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict, Unpack

from serving.client.access import Access, Tls
from serving.client.conversation import Exchange
from serving.client.dialect import Target
from serving.client.errors import InvalidRequest
from serving.client.fallback import Fallback
from serving.client.recommender import Options, Recommender
from serving.client.retries import Retries

if TYPE_CHECKING:
    from serving.client.async_recommender import AsyncRecommender

_SECURE = {"grpc": False, "grpcs": True, "rest": False, "http": False, "https": True}


class Settings(TypedDict, total=False):
    """What a client can be told beyond the address and the model.

    Attributes:
        version: None asks the latest.
        label: name of a version, instead of a number.
        timeout_s: of each call, retries included, unless the call names its own.
        retries: of failures that a retry can mend.
        tls: whom to trust, as whom to appear; for grpcs:// and https:// addresses.
        token: sent with every request as a bearer token.
        fallback: answers `recommend` when the model does not: item ids, a function,
            or `popular`.
        catalogue: ids that may be listed; None: any.
        watch: is told of every answer of a signature.
    """

    version: int | None
    label: str | None
    timeout_s: float
    retries: Retries
    tls: Tls | None
    token: str | None
    fallback: Fallback | None
    catalogue: Container[str] | None
    watch: Callable[[Exchange], None] | None


def connect(address: str, *, model: str, **settings: Unpack[Settings]) -> Recommender:
    """Returns a client of one model; it connects at the first call.

    Args:
        address: `host:port` or `grpc://host:port` for gRPC, `http://host:port` or
            `rest://host:port` for REST; `grpcs://` and `https://` for either by TLS.
        model: name that the server knows it by.
        **settings: see `Settings`.

    Raises:
        InvalidRequest: the address has another form, or settings contradict each other.
    """
    place = place_of(address)
    target, options = _target(model, settings), _options(place, settings)
    # Imported here: one who asks over REST needs no grpcio, nor the other way round.
    if place.is_grpc:
        from serving.client.rpc import GrpcRecommender

        return GrpcRecommender(place.target, target, options)
    from serving.client.rest import RestRecommender

    return RestRecommender(place.url, target, options)


def connect_async(
    address: str, *, model: str, **settings: Unpack[Settings]
) -> AsyncRecommender:
    """Returns a client for asyncio; see `connect`."""
    place = place_of(address)
    target, options = _target(model, settings), _options(place, settings)
    if place.is_grpc:
        from serving.client.rpc import AsyncGrpcRecommender

        return AsyncGrpcRecommender(place.target, target, options)
    from serving.client.async_rest import AsyncRestRecommender

    return AsyncRestRecommender(place.url, target, options)


@dataclass(frozen=True)
class Place:
    """Holds an address in its parts."""

    scheme: str
    target: str

    @property
    def is_grpc(self) -> bool:
        """Tells the protocol."""
        return self.scheme.startswith("grpc")

    @property
    def is_secure(self) -> bool:
        """Tells whether TLS is spoken."""
        return _SECURE[self.scheme]

    @property
    def url(self) -> str:
        """Returns the address as HTTP has it."""
        return f"http{'s' if self.is_secure else ''}://{self.target}"


def place_of(address: str) -> Place:
    """Returns an address in its parts; without a scheme it is gRPC's.

    Raises:
        InvalidRequest: it has another form.
    """
    scheme, separator, rest = address.partition("://")
    place = Place(scheme, rest) if separator else Place("grpc", address)
    host, _, port = place.target.rpartition(":")
    if place.scheme not in _SECURE or not host or not port.isdecimal():
        raise InvalidRequest(
            f"address {address!r} must be host:port, grpc://host:port or "
            "http://host:port; grpcs:// and https:// for TLS"
        )
    return place


def _target(model: str, settings: Settings) -> Target:
    return Target(model, settings.get("version"), settings.get("label"))


def _options(place: Place, settings: Settings) -> Options:
    tls = settings.get("tls")
    if tls is not None and not place.is_secure:
        raise InvalidRequest(
            f"tls is given, but {place.scheme}://{place.target} talks in the clear; "
            "write grpcs:// or https://"
        )
    if tls is None and place.is_secure:
        tls = Tls()
    return Options(
        timeout_s=settings.get("timeout_s", Options.timeout_s),
        retries=settings.get("retries", Retries()),
        access=Access(tls, settings.get("token")),
        fallback=settings.get("fallback"),
        catalogue=settings.get("catalogue"),
        watch=settings.get("watch"),
    )
