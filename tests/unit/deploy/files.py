"""The files of serving/deploy as data."""

from pathlib import Path

import yaml

DEPLOY = Path(__file__).parents[3] / "serving" / "deploy"
KUBERNETES = DEPLOY / "kubernetes"
WAYS = ("embedded", "scann", "stock")


def documents(path):
    """The YAML documents of a file."""
    return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))


def manifests(*kinds):
    """All Kubernetes objects as (file name, object), or those of these kinds."""
    return [
        (path.name, document)
        for path in sorted(KUBERNETES.rglob("*.yaml"))
        for document in documents(path)
        if not kinds or document["kind"] in kinds
    ]


def of_kind(kind):
    """The only object of a kind."""
    ((_, found),) = manifests(kind)
    return found


def deployment(way):
    (found,) = documents(KUBERNETES / f"{way}.yaml")
    return found


def container(way):
    (only,) = deployment(way)["spec"]["template"]["spec"]["containers"]
    return only


def compose():
    (found,) = documents(DEPLOY / "compose" / "compose.yaml")
    return found
