import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from serving.server.configs.logging import LoggingPolicy, LogType
from serving.server.operations.options import OperationsOptions
from serving.server.server import running
from tests.integration.serving.models import free

TOKEN, ADMIN_TOKEN, USER_KEY = "a" * 32, "b" * 32, "0123456789abcdef"


def secret(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@dataclass(frozen=True)
class Authority:
    """A certificate authority of openssl's, as docs/operations.md makes one."""

    folder: Path

    @property
    def certificate(self) -> Path:
        return self.folder / "ca.crt"

    def make(self) -> None:
        self._openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=test authority",
            "-keyout", "ca.key", "-out", "ca.crt",
        )  # fmt: skip

    def issue(self, name: str, subject: str = "localhost") -> tuple[Path, Path]:
        """Returns key and certificate."""
        (self.folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
        self._openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-subj", f"/CN={subject}", "-keyout", f"{name}.key", "-out", f"{name}.csr",
        )  # fmt: skip
        self._openssl(
            "x509", "-req", "-days", "2", "-in", f"{name}.csr", "-CA", "ca.crt",
            "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names",
            "-out", f"{name}.crt",
        )  # fmt: skip
        return self.folder / f"{name}.key", self.folder / f"{name}.crt"

    def config(self, name: str, subject: str = "localhost", mutual=False) -> str:
        """Returns a SSLConfig in text format."""
        key, certificate = self.issue(name, subject)
        fields = {"server_key": key, "server_cert": certificate}
        if mutual:
            fields["custom_ca"] = self.certificate
        lines = [
            f'{field}: "{path.read_text()}"'.replace("\n", "\\n")
            for field, path in fields.items()
        ]
        return "\n".join([*lines, *(["client_verify: true"] if mutual else [])])

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(
            ["openssl", *arguments], cwd=self.folder, check=True, capture_output=True
        )


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    made = Authority(tmp_path_factory.mktemp("authority"))
    made.make()
    return made


@dataclass(frozen=True)
class Guarded:
    """A running server with everything on."""

    grpc: str
    rest: str
    logs: Path


@pytest.fixture(scope="session")
def guarded(models, authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    monitoring = folder / "monitoring"
    monitoring.write_text("prometheus_config { enable: true }")
    operations = OperationsOptions(
        monitoring_config_file=monitoring,
        ssl_config_file=secret(folder / "ssl", authority.config("guarded")),
        auth_token_file=secret(folder / "token", TOKEN),
        admin_token_file=secret(folder / "admin", ADMIN_TOKEN),
        request_log=LoggingPolicy(LogType.JSONL, folder / "logs" / "requests", 1.0),
        request_log_user_key_file=secret(folder / "key", USER_KEY),
    )
    with running(free({"hp2": models["hp2"]}, operations=operations)) as addresses:
        yield Guarded(addresses.grpc, addresses.rest, folder / "logs")
