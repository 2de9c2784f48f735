"""The client comes without TensorFlow, and gets along with it."""

import subprocess
import sys

import pytest

HEAVY = "'tensorflow', 'tensorflow_serving', 'tfrs_app', 'serving.server', 'httpx'"


def run(code):
    command = [sys.executable, "-c", code]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout


@pytest.mark.parametrize(
    ("module", "others"),
    [
        ("serving.client", "'grpc', 'httpcore', 'asyncio'"),
        ("serving.client.rest", "'grpc', 'google.protobuf', 'asyncio'"),
        ("serving.client.async_rest", "'grpc', 'google.protobuf'"),
        ("serving.client.rpc", "'httpcore'"),
    ],
)
def test_a_client_imports_what_its_protocol_needs_and_no_tensorflow(module, others):
    run(
        f"import sys, {module};"
        f"heavy = {{{HEAVY}, {others}}} & sys.modules.keys();"
        "sys.exit(', '.join(heavy) or 0)"
    )


def test_importing_the_client_chooses_no_keras():
    run(
        "import os, sys; os.environ.pop('TF_USE_LEGACY_KERAS', None);"
        "import serving.client; sys.exit('TF_USE_LEGACY_KERAS' in os.environ)"
    )


def test_the_clients_are_found_by_their_names():
    told = run(
        "from serving.client import *;"
        "print(issubclass(RestRecommender, Recommender), "
        "issubclass(GrpcRecommender, Recommender), "
        "issubclass(AsyncRestRecommender, AsyncRecommender), "
        "issubclass(AsyncGrpcRecommender, AsyncRecommender))"
    )
    assert told == "True True True True\n"


def test_only_existing_names_are_found():
    import serving.client

    with pytest.raises(AttributeError, match="no attribute 'Nobody'"):
        serving.client.Nobody  # noqa: B018
