"""The manifests fit Kubernetes' schemas and each other, and give no right away."""

import copy

import kubernetes_validate
import pytest

from tests.unit.deploy.files import (
    DEPLOY,
    WAYS,
    container,
    deployment,
    manifests,
    of_kind,
)

VERSIONS = ("1.30", "1.37")
"""The oldest and the newest that are checked."""


def pod(way):
    return deployment(way)["spec"]["template"]["spec"]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_object_fits_its_schema(version):
    assert len(manifests()) == 9
    for _, document in manifests():
        kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_misspelt_key_would_be_seen(version):
    wrong = copy.deepcopy(deployment("stock"))
    wrong["spec"]["template"]["spec"]["containers"][0]["redinessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, version, strict=True)


@pytest.mark.parametrize("way", WAYS)
def test_a_pod_has_no_rights_that_it_does_not_need(way):
    spec, only = pod(way), container(way)
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert only["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & spec.keys()
    writable = [m["name"] for m in only["volumeMounts"] if not m.get("readOnly")]
    assert writable == ["tmp"]


@pytest.mark.parametrize("way", WAYS)
def test_a_pod_has_limits_and_probes_and_time_to_go(way):
    only = container(way)
    for kind in ("requests", "limits"):
        assert only["resources"][kind].keys() == {"cpu", "memory"}
    assert only["startupProbe"]["failureThreshold"] >= 30
    assert {"readinessProbe", "livenessProbe"} <= only.keys()
    _, seconds = only["lifecycle"]["preStop"]["exec"]["command"]
    left = pod(way)["terminationGracePeriodSeconds"] - int(seconds)
    assert left >= 15
    # TensorFlow Serving handles no signal, which process 1 must do to end.
    assert pod(way).get("shareProcessNamespace", False) is (way != "embedded")


@pytest.mark.parametrize("way", WAYS)
def test_readiness_reads_the_state_where_there_is_one(way):
    probe = container(way)["readinessProbe"]
    if way == "scann":
        assert probe["tcpSocket"] == {"port": "grpc"}
    elif way == "embedded":
        assert probe["httpGet"] == {"path": "/readyz", "port": "rest"}
    else:
        assert probe["exec"]["command"][1] == "/config/model_available.sh"
        assert (DEPLOY / "model_available.sh").stat().st_mode & 0o111


def test_upstream_is_started_without_its_shell():
    for way in ("scann", "stock"):
        assert container(way)["command"] == ["tensorflow_model_server"]
    assert "@sha256:" in container("scann")["image"]
    assert "--rest_api_port=0" in container("scann")["args"]


@pytest.mark.parametrize("way", WAYS)
def test_objects_find_each_other(way):
    labels = deployment(way)["spec"]["template"]["metadata"]["labels"]
    name = deployment(way)["metadata"]["name"]
    assert deployment(way)["spec"]["selector"]["matchLabels"] == labels
    assert of_kind("Service")["spec"]["selector"] == labels
    assert of_kind("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    budget = of_kind("PodDisruptionBudget")["spec"]
    assert budget["selector"]["matchLabels"] == labels
    scaler = of_kind("HorizontalPodAutoscaler")["spec"]
    assert scaler["scaleTargetRef"]["name"] == name
    assert scaler["minReplicas"] > budget["minAvailable"]
    assert (
        pod(way)["serviceAccountName"] == of_kind("ServiceAccount")["metadata"]["name"]
    )
    claims = [v["persistentVolumeClaim"]["claimName"] for v in pod(way)["volumes"][:1]]
    assert claims == [of_kind("PersistentVolumeClaim")["metadata"]["name"]]


@pytest.mark.parametrize("way", WAYS)
def test_ports_have_the_same_names_and_numbers_everywhere(way):
    ports = {p["name"]: p["containerPort"] for p in container(way)["ports"]}
    flags = dict(f.lstrip("-").split("=") for f in container(way)["args"] if "=" in f)
    assert int(flags["port"]) == ports["grpc"]
    assert int(flags["rest_api_port"]) == ports.get("rest", 0)
    for port in of_kind("Service")["spec"]["ports"]:
        assert ports.get(port["targetPort"], port["port"]) == port["port"]
    allowed = of_kind("NetworkPolicy")["spec"]["ingress"]
    named = {port["port"] for rule in allowed for port in rule["ports"]}
    assert ports.keys() <= named
