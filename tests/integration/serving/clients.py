"""The four clients behind one face: those of asyncio run on a thread of their own."""

import asyncio
import threading
from contextlib import contextmanager

from serving.client import connect, connect_async
from tests.integration.serving.models import free

KINDS = ("grpc", "rest", "async grpc", "async rest")


def options_of(models, grpc_port=0, rest_port=0):
    """Returns a server's options for base paths by model name."""
    return free(models, grpc_port=grpc_port, rest_port=rest_port)


class Awaited:
    """An asyncio client whose calls block, so that one suite serves all clients."""

    def __init__(self, address, **options):
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._client = connect_async(address, **options)

    def __getattr__(self, name):
        method = getattr(self._client, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        def call(*args, **options):
            asked = method(*args, **options)
            return asyncio.run_coroutine_threadsafe(asked, self._loop).result(60)

        return call

    def close(self):
        asyncio.run_coroutine_threadsafe(self._client.close(), self._loop).result(60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def open_client(kind, address, **options):
    """Returns a client; the address has no scheme."""
    style, _, protocol = kind.rpartition(" ")
    connecting = Awaited if style else connect
    return connecting(f"{protocol}://{address}", **options)


@contextmanager
def client_of(kind, addresses, **options):
    """Yields a client of a running server."""
    place = addresses.grpc if kind.endswith("grpc") else addresses.rest
    with open_client(kind, place.rpartition("/")[2], **options) as client:
        yield client
