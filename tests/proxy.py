"""A server between client and server that can be slow, or gone."""

import socket
import threading
import time
from contextlib import contextmanager, suppress


class Proxy:
    """Passes bytes on; `delay_s` holds answers up, `is_cut` ends all connections."""

    def __init__(self, target: str):
        host, _, port = target.rpartition(":")
        self._target = (host.rpartition("/")[2], int(port))
        self.delay_s = 0.0
        self._is_cut = False
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def is_cut(self) -> bool:
        return self._is_cut

    @is_cut.setter
    def is_cut(self, is_cut: bool) -> None:
        self._is_cut = is_cut
        if is_cut:
            for connection in list(self._open):
                _end(connection)

    def close(self) -> None:
        self.is_cut = True
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                near.close()
                continue
            far = socket.create_connection(self._target)
            self._open |= {near, far}
            self._pass(near, far, answers=False)
            self._pass(far, near, answers=True)

    def _pass(self, source, sink, *, answers: bool) -> None:
        def run():
            try:
                while data := source.recv(65536):
                    if answers and self.delay_s:
                        time.sleep(self.delay_s)
                    sink.sendall(data)
            except OSError:
                pass
            for connection in (source, sink):
                self._open.discard(connection)
                _end(connection)

        threading.Thread(target=run, daemon=True).start()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def proxied(target: str):
    """Yields a proxy in front of `host:port`."""
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
