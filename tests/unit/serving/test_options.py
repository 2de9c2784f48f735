from dataclasses import replace
from pathlib import Path

import pytest

from serving.server.models.model_config import ModelConfig
from serving.server.options import ServerOptions
from tfrs_app.contract.errors import ServerError

MODEL = ModelConfig(Path("models/m"))
MODELS = {"m": MODEL}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"models": {}}, "no model to serve"),
        ({"models": {"a/b": MODEL}}, "'a/b' must be non-empty"),
        ({"models": {"": MODEL}}, "'' must be non-empty"),
        (
            {"models": {"m": replace(MODEL, platform="torch")}},
            "model_platform 'torch' is not known; use 'tensorflow'",
        ),
        ({"grpc_port": None, "rest_port": None}, "gRPC and REST are both off"),
        ({"grpc_port": 80, "rest_port": 80}, "cannot both listen on port 80"),
        ({"workers": 0}, "workers 0 must be at least 1"),
        ({"grpc_port": 65536}, "port 65536 must lie between 0 and 65535"),
        ({"rest_port": -1}, "port -1"),
        ({"bind": "0.0.0.0"}, r"0\.0\.0\.0 can be reached from other machines"),
        ({"bind": "::"}, ":: can be reached"),
        ({"bind": "192.168.1.4"}, "--insecure_allow_remote"),
        ({"bind": "localhost"}, "'localhost' is not an IP address; use 127.0.0.1"),
    ],
)
def test_refuses(options, match):
    with pytest.raises(ServerError, match=match):
        ServerOptions(**{"models": MODELS, **options})


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.0.0.2", "::1"])
def test_takes_loopback(bind):
    assert ServerOptions(MODELS, bind=bind).bind == bind


def test_takes_a_remote_address_when_that_is_allowed():
    assert ServerOptions(MODELS, bind="::", insecure_allow_remote=True).host == "[::]"
