"""Raw sockets, for what no HTTP library would send."""

import socket
import ssl
import time


class Raw:
    """A connection to one of the two ports of this machine."""

    def __init__(self, port, context=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *pieces, pause_s=0.0):
        """Sends until the other side has enough."""
        for piece in pieces:
            try:
                self.socket.sendall(piece)
            except (ConnectionError, ssl.SSLError):
                return
            time.sleep(pause_s)

    def rest(self):
        """Everything until the other side closes; that it does is the test."""
        received = b""
        while True:
            try:
                piece = self.socket.recv(65536)
            except ConnectionResetError:
                return received
            if not piece:
                return received
            received += piece

    def until(self, end):
        received = b""
        while not received.endswith(end):
            piece = self.socket.recv(65536)
            if not piece:
                break
            received += piece
        return received


def statuses(answer):
    """Status codes of all answers in a stream."""
    return [
        int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()
    ]
