"""TLS for both ports, from one file that is read again on demand.

TF Serving encrypts gRPC only; here the same file serves REST too.
"""

from __future__ import annotations

import logging
import ssl
import tempfile
from pathlib import Path
from typing import Any

import grpc

from serving.server.configs.ssl import FLAG, TlsConfig, read_ssl_config
from tfrs_app.contract.errors import ConfigError

_LOG = logging.getLogger(__name__)


class Tls:
    """Holds the certificate in use; connections that stand keep the one they have."""

    def __init__(self, path: Path) -> None:
        """Reads a SSLConfig.

        Raises:
            ConfigError: it is none, or key and certificate do not fit.
        """
        self._path = path
        self._config = read_ssl_config(path)
        self._context = _RenewableContext(_context(self._config, path))

    def reload(self) -> None:
        """Reads the file again; a bad one is reported and the old one stays.

        Whether clients must show a certificate is settled at the start.
        """
        try:
            config = read_ssl_config(self._path)
            if config.client_verify != self._config.client_verify:
                raise ConfigError(
                    f"{FLAG}: {self._path} changes client_verify, which needs a new "
                    "start of the server"
                )
            context = _context(config, self._path)
        except ConfigError:
            _LOG.exception("the TLS certificate was not changed")
            return
        self._config = config
        self._context.current = context
        _LOG.info("the TLS certificate was read again")

    def server_credentials(self) -> Any:
        """Returns gRPC's credentials; each handshake takes what is in use then."""
        return grpc.dynamic_ssl_server_credentials(
            _grpc_configuration(self._config),
            lambda: _grpc_configuration(self._config),
            require_client_authentication=self._config.client_verify,
        )

    def ssl_context(self, *_: Any) -> ssl.SSLContext:
        """Returns REST's context; fits uvicorn's `ssl_context_factory`."""
        return self._context


class _RenewableContext(ssl.SSLContext):
    """Begins each connection with the context that is current then.

    asyncio keeps the context that a server was started with, and one context can't
    forget a certificate authority.
    """

    current: ssl.SSLContext

    def __new__(cls, current: ssl.SSLContext) -> _RenewableContext:
        context = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        context.current = current
        return context

    def wrap_bio(self, *args: Any, **kwargs: Any) -> ssl.SSLObject:
        return self.current.wrap_bio(*args, **kwargs)


def _grpc_configuration(config: TlsConfig) -> Any:
    return grpc.ssl_server_certificate_configuration(
        [(config.server_key, config.server_cert)],
        root_certificates=config.custom_ca or None,
    )


def _context(config: TlsConfig, path: Path) -> ssl.SSLContext:
    """Returns a server's context of TLS 1.2 and 1.3.

    Raises:
        ConfigError: key and certificate are no PEM or do not fit.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        _load_chain(context, config)
        if config.custom_ca:
            context.load_verify_locations(cadata=config.custom_ca.decode())
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(
            f"{FLAG}: {path} holds a key, certificate or authority that OpenSSL "
            f"refuses ({error}); check that all are PEM and key and certificate fit"
        ) from error
    if config.client_verify:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _load_chain(context: ssl.SSLContext, config: TlsConfig) -> None:
    # OpenSSL's binding reads files only; this one is mode 0600 and gone at once.
    with tempfile.NamedTemporaryFile() as file:
        file.write(config.server_key + b"\n" + config.server_cert)
        file.flush()
        context.load_cert_chain(file.name)
