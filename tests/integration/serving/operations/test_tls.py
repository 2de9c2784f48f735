"""Mutual TLS, and certificates that change while the server runs."""

import ssl

import grpc
import httpx
import pytest

from serving.server.operations.operations import Operations
from serving.server.operations.options import OperationsOptions
from serving.server.operations.tls import Tls
from serving.server.server import running
from tests.integration.serving.models import free
from tests.integration.serving.operations.conftest import secret
from tests.integration.serving.operations.sockets import Raw
from tfrs_app.contract.errors import ConfigError, ServerError


@pytest.fixture(scope="module")
def mutual(models, authority, tmp_path_factory):
    path = tmp_path_factory.mktemp("mutual") / "ssl"
    secret(path, authority.config("mutual", "first", mutual=True))
    options = free(
        {"hp2": models["hp2"]}, operations=OperationsOptions(ssl_config_file=path)
    )
    made = []
    original = Operations.__init__

    def noted(self, *arguments):
        made.append(self)
        original(self, *arguments)

    Operations.__init__ = noted
    try:
        with running(options) as addresses:
            yield addresses, path, made[0]
    finally:
        Operations.__init__ = original


def rest_context(authority, name=None):
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if name is not None:
        key, certificate = authority.issue(name, name)
        context.load_cert_chain(certificate, key)
    return context


def grpc_is_ready(address, authority, name=None):
    key, certificate = authority.issue(name, name) if name else (None, None)
    credentials = grpc.ssl_channel_credentials(
        authority.certificate.read_bytes(),
        key and key.read_bytes(),
        certificate and certificate.read_bytes(),
    )
    with grpc.secure_channel(address, credentials) as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=3)
        except grpc.FutureTimeoutError:
            return False
    return True


def test_a_client_of_the_authority_is_served(mutual, authority):
    addresses, _, _ = mutual
    context = rest_context(authority, "client")
    answer = httpx.get(f"{addresses.rest}/v1/models/hp2", verify=context)
    assert answer.status_code == 200
    assert addresses.rest.startswith("https://")
    assert grpc_is_ready(addresses.grpc, authority, "client")


def test_a_client_without_certificate_is_not(mutual, authority):
    addresses, _, _ = mutual
    with pytest.raises((httpx.TransportError, ssl.SSLError)):
        httpx.get(f"{addresses.rest}/v1/models/hp2", verify=rest_context(authority))
    assert not grpc_is_ready(addresses.grpc, authority)


def presented(address, authority):
    """The subject of the certificate that a server shows."""
    port = int(address.rpartition(":")[2])
    with Raw(port, rest_context(authority, "client")) as connection:
        return dict(pair[0] for pair in connection.socket.getpeercert()["subject"])


def test_a_new_certificate_is_shown_to_new_connections(mutual, authority, caplog):
    addresses, path, operations = mutual
    both = (addresses.grpc, addresses.rest)
    assert [presented(a, authority)["commonName"] for a in both] == ["first"] * 2
    secret(path, authority.config("mutual2", "second", mutual=True))
    operations.reload()
    assert [presented(a, authority)["commonName"] for a in both] == ["second"] * 2
    secret(path, 'server_key: "x" server_cert: "y"')
    operations.reload()
    assert [presented(a, authority)["commonName"] for a in both] == ["second"] * 2
    assert "the TLS certificate was not changed" in caplog.text


def test_key_and_certificate_must_fit(authority, tmp_path):
    key, _ = authority.issue("one")
    _, certificate = authority.issue("two")
    fields = {"server_key": key, "server_cert": certificate}
    text = "\n".join(
        f'{name}: "{path.read_text()}"'.replace("\n", "\\n")
        for name, path in fields.items()
    )
    with pytest.raises(ConfigError, match="key and certificate fit"):
        Tls(secret(tmp_path / "ssl", text))


def test_a_remote_address_needs_tls_or_a_flag(tmp_path):
    encrypted = OperationsOptions(ssl_config_file=tmp_path / "ssl")
    models = {"m": tmp_path}
    assert free(models, bind="0.0.0.0", operations=encrypted)
    assert free(models, bind="0.0.0.0", insecure_allow_remote=True)
    with pytest.raises(ServerError, match="encrypt with --ssl_config_file"):
        free(models, bind="0.0.0.0")
