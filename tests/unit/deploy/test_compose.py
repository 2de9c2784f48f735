"""The compose file is one, and treats its servers as the manifests do."""

import copy
import json
import re

import pytest
from compose_spec import PyCompose

from tests.unit.deploy.files import DEPLOY, WAYS, compose, container


def parsed(document):
    """The file as Compose reads it, with a value for each ${VARIABLE...}.

    The parser lacks images with both a tag and a digest, which Docker takes.
    """
    text = re.sub(r"\$\{\w+[^}]*\}", "/value", json.dumps(document))
    text = re.sub(r":[\w.]+@sha256:", "@sha256:", text)
    return PyCompose.from_json(text)


def test_it_fits_the_compose_specification():
    assert set(parsed(compose()).service_names()) == {*WAYS, "prometheus", "grafana"}


@pytest.mark.parametrize(
    ("key", "value"),
    [("memlimit", "1g"), ("stop_grace_period", "later"), ("ports", ["127.0.0.1:x:1"])],
)
def test_a_wrong_value_would_be_seen(key, value):
    wrong = copy.deepcopy(compose())
    wrong["services"]["stock"][key] = value
    with pytest.raises(ValueError, match="at line 1 column"):
        parsed(wrong)


@pytest.mark.parametrize("way", WAYS)
def test_servers_run_as_nobody_and_end_when_told(way):
    service = compose()["services"][way]
    assert service["user"] == "10001:10001"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["init"] is True
    assert service["mem_limit"]
    assert "healthcheck" in service


def test_ports_are_published_to_this_machine_only():
    for service in compose()["services"].values():
        for port in service["ports"]:
            assert port.startswith("127.0.0.1:")


@pytest.mark.parametrize("way", WAYS)
def test_flags_and_images_are_those_of_the_manifests(way):
    service = compose()["services"][way]
    assert service["command"] == container(way)["args"]
    assert service.get("entrypoint") == container(way).get("command")
    if way != "embedded":
        assert service["image"] == container(way)["image"]


def test_what_is_mounted_exists():
    for name, service in compose()["services"].items():
        for volume in service["volumes"]:
            if volume["type"] == "bind" and "$" not in volume["source"]:
                assert (DEPLOY / "compose" / volume["source"]).exists(), name
                assert volume["read_only"] is True
