"""The probe of the deployments tells a model that answers from one that does not."""

import subprocess
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from tests.unit.deploy.files import DEPLOY

STATUS = (
    '{{\n "model_version_status": [\n  {{\n   "version": "7",\n   "state": "{}"\n  }}\n'
    " ]\n}}"
)
"""As TensorFlow Serving writes it."""


def probe(address, model):
    port = address.rpartition(":")[2]
    command = ["bash", DEPLOY / "model_available.sh", model, port]
    return subprocess.run(command, capture_output=True, check=False, timeout=30)


def test_the_embedded_server(server):
    assert probe(server.rest, "hp2").returncode == 0
    assert probe(server.rest, "nothing").returncode == 1


@pytest.mark.parametrize(
    ("state", "status"),
    [("AVAILABLE", 0), ("LOADING", 1), ("UNLOADING", 1), ("END", 1)],
)
def test_a_model_that_still_loads_is_not_available(state, status):
    class Upstream(BaseHTTPRequestHandler):
        def do_GET(self):
            assert self.path == "/v1/models/shop"
            body = STATUS.format(state).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Upstream) as upstream:
        Thread(target=upstream.serve_forever, daemon=True).start()
        done = probe(f"127.0.0.1:{upstream.server_port}", "shop")
        upstream.shutdown()
    assert done.returncode == status


def test_nobody_listens():
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as closed:
        port = closed.server_port
    assert probe(f"127.0.0.1:{port}", "shop").returncode == 1
