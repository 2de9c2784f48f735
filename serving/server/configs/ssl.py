"""TF Serving's SSLConfig: key, certificate and authority as inline PEM."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from serving.server.configs.text_message import (
    BOOL,
    STRING,
    message_classes,
    read_text,
)
from serving.server.operations.secret_files import check_secret
from tfrs_app.contract.errors import ConfigError

FLAG = "--ssl_config_file"

_MESSAGES = message_classes(
    "tensorflow_serving/config/ssl_config.proto",
    {
        "SSLConfig": {
            "server_key": STRING,
            "server_cert": STRING,
            "custom_ca": STRING,
            "client_verify": BOOL,
        }
    },
)


@dataclass(frozen=True)
class TlsConfig:
    """Holds what a server proves itself with, and by whom clients must be vouched for.

    Attributes:
        server_key: private key, PEM.
        server_cert: certificate chain, PEM, the server's own first.
        custom_ca: authorities for clients' certificates, PEM; empty: the system's.
        client_verify: whether a client must show a certificate.
    """

    server_key: bytes = field(repr=False)
    server_cert: bytes
    custom_ca: bytes = b""
    client_verify: bool = False


def read_ssl_config(path: Path) -> TlsConfig:
    """Reads a SSLConfig in text format.

    Raises:
        ConfigError: it is none, lacks key or certificate, or others can read it.
    """
    check_secret(path, FLAG)
    message = read_text(path, _MESSAGES["SSLConfig"](), FLAG)
    for name in ("server_key", "server_cert"):
        if not getattr(message, name):
            raise ConfigError(
                f"{FLAG}: {path} has no {name}; write the PEM text itself there, not "
                "the name of a file"
            )
    if message.client_verify and not message.custom_ca:
        raise ConfigError(
            f"{FLAG}: {path} sets client_verify without custom_ca, so every "
            "certificate of a public authority would do; add the PEM text of yours"
        )
    return TlsConfig(
        server_key=message.server_key.encode(),
        server_cert=message.server_cert.encode(),
        custom_ca=message.custom_ca.encode(),
        client_verify=message.client_verify,
    )
