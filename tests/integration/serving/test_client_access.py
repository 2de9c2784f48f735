"""TLS, certificates on both sides, tokens: what servers see and clients refuse."""

import datetime
import ipaddress
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from serving.client import AccessDenied, InvalidRequest, Retries, Tls, Unavailable
from serving.protocol import messages
from tests.integration.serving.clients import KINDS, Awaited, connect

STATUS = b'{"model_version_status": []}'


def certificate(folder, name, signer=None):
    """Writes NAME.pem and NAME.key; without a signer it is an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    addresses = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    issuer, signing = signer or (subject, key)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(
            x509.BasicConstraints(ca=signer is None, path_length=None), critical=True
        )
        .sign(signing, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return subject, key


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    """A folder of certificates: an authority, what it signed, and a stranger."""
    folder = tmp_path_factory.mktemp("pem")
    authority = certificate(folder, "authority")
    for name in ("server", "client"):
        certificate(folder, name, authority)
    certificate(folder, "stranger")
    return folder


@contextmanager
def https(pem, seen):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers["authorization"])
            self.send_response(200)
            self.send_header("content-length", str(len(STATUS)))
            self.end_headers()
            self.wfile.write(STATUS)

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_):  # refused handshakes are what is tested
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem / "server.pem", pem / "server.key")
    context.load_verify_locations(pem / "authority.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def grpcs(pem, seen):
    class Handler(grpc.GenericRpcHandler):
        def service(self, call):
            seen.append(dict(call.invocation_metadata).get("authorization"))
            answer = messages.GetModelStatusResponse().SerializeToString()
            return grpc.unary_unary_rpc_method_handler(lambda *_: answer)

    server = grpc.server(ThreadPoolExecutor(2), handlers=[Handler()])
    pair = [(pem / "server.key").read_bytes(), (pem / "server.pem").read_bytes()]
    credentials = grpc.ssl_server_credentials(
        [tuple(pair)], (pem / "authority.pem").read_bytes(), require_client_auth=True
    )
    port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        yield f"grpcs://127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextmanager
def asked(kind, pem, **settings):
    """Yields a client of a server that wants certificates, and what that saw."""
    seen = []
    serve = grpcs if kind.endswith("grpc") else https
    connecting = Awaited if kind.startswith("async") else connect
    with (
        serve(pem, seen) as address,
        connecting(
            address, model="m", retries=Retries(attempts=1), **settings
        ) as client,
    ):
        yield client, seen


def tls(pem, authority="authority", own="client"):
    files = (pem / f"{own}.pem", pem / f"{own}.key") if own else (None, None)
    return Tls(pem / f"{authority}.pem", *files)


@pytest.mark.parametrize("kind", KINDS)
def test_both_sides_show_certificates_and_the_token_is_sent(kind, pem):
    with asked(kind, pem, tls=tls(pem), token="secret") as (client, seen):
        assert client.status() == []
        assert client.status() == []
    assert seen == ["Bearer secret"] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_server_is_told_nothing(kind, pem):
    with (
        asked(kind, pem, tls=tls(pem, "stranger"), token="secret") as (client, seen),
        pytest.raises(AccessDenied, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        client.status()
    assert seen == []


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_certificate_of_its_own_a_client_is_sent_away(kind, pem):
    with (
        asked(kind, pem, tls=tls(pem, own=None)) as (client, seen),
        pytest.raises((AccessDenied, Unavailable)),
    ):
        client.status()
    assert seen == []


@pytest.mark.parametrize(
    ("files", "match"),
    [
        ({"certificate_file": "client.pem"}, "belong together"),
        ({"ca_file": "absent.pem"}, "absent.pem: no such file"),
    ],
)
def test_files_that_do_not_do_are_refused(pem, files, match):
    with pytest.raises(InvalidRequest, match=match):
        Tls(**{name: pem / file for name, file in files.items()})


def test_what_is_no_certificate_is_refused(pem):
    wrong = Tls(certificate_file=pem / "client.pem", key_file=pem / "stranger.key")
    with pytest.raises(InvalidRequest, match="TLS files cannot be used"):
        wrong.context()


@pytest.mark.parametrize("address", ["127.0.0.1:1", "grpc://h:1", "http://h:1"])
def test_certificates_do_not_go_with_an_address_in_the_clear(pem, address):
    with pytest.raises(InvalidRequest, match="talks in the clear"):
        connect(address, model="m", tls=tls(pem))


def test_a_version_and_a_label_exclude_each_other():
    with pytest.raises(InvalidRequest, match="version 3 and label 'canary'"):
        connect("h:1", model="m", version=3, label="canary")
