"""What a client shows a server, and asks of it, before they talk."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from serving.client.errors import InvalidRequest


@dataclass(frozen=True)
class Tls:
    """Says whom to trust and as whom to appear.

    Attributes:
        ca_file: PEM; None trusts what the system trusts.
        certificate_file: PEM of the client's own certificate, for mutual TLS.
        key_file: PEM of its key.
    """

    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None

    def __post_init__(self) -> None:
        """Checks that a certificate comes with its key, and that the files are there.

        Raises:
            InvalidRequest: names what is missing.
        """
        if (self.certificate_file is None) != (self.key_file is None):
            raise InvalidRequest(
                "certificate_file and key_file belong together; give both or neither"
            )
        for file in (self.ca_file, self.certificate_file, self.key_file):
            if file is not None and not file.is_file():
                raise InvalidRequest(f"{file}: no such file; TLS needs it")

    def context(self) -> ssl.SSLContext:
        """Returns what Python's sockets need: TLS 1.2 or later, names checked.

        Raises:
            InvalidRequest: a file is not PEM, or certificate and key do not match.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            if self.certificate_file is not None:
                context.load_cert_chain(self.certificate_file, self.key_file)
        except ssl.SSLError as error:
            raise InvalidRequest(f"TLS files cannot be used: {error}") from error
        return context


@dataclass(frozen=True)
class Access:
    """Holds how a server is reached.

    Attributes:
        tls: None talks in the clear.
        token: sent as `authorization: Bearer ...` with every request.
    """

    tls: Tls | None = None
    token: str | None = None

    def headers(self) -> tuple[tuple[str, str], ...]:
        """Returns the headers of a request, which are gRPC's metadata too."""
        return (
            () if self.token is None else (("authorization", f"Bearer {self.token}"),)
        )
