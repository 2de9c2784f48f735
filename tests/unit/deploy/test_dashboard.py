"""Dashboard, alerts and scraping name metrics that the server has, in valid PromQL."""

import json
import re

import promql_parser
import pytest

from serving.server.operations.metrics.families import Kind
from serving.server.operations.metrics.server_metrics import ServerMetrics
from tests.unit.deploy.files import DEPLOY, documents

DASHBOARD = json.loads(
    (DEPLOY / "grafana" / "dashboards" / "model_server.json").read_text("utf-8")
)
PANELS = DASHBOARD["panels"]
FAMILIES = {family.name: family for family in ServerMetrics().snapshot()}
PROMETHEUS_OWN = {"up"}
METRIC = re.compile(r"[:\w]*:[:\w]+|\bup\b")


def _expressions():
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "5m")
    (rules,) = documents(DEPLOY / "prometheus" / "rules.yaml")
    for group in rules["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


EXPRESSIONS = list(_expressions())


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_queries_are_promql_about_metrics_that_there_are(expression):
    promql_parser.parse(expression)
    named = METRIC.findall(expression)
    assert named
    for name in set(named) - PROMETHEUS_OWN:
        base = name.removesuffix("_bucket")
        assert base in FAMILIES
        assert (base != name) == (FAMILIES[base].kind is Kind.HISTOGRAM)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_queries_group_by_labels_that_there_are(expression):
    if set(METRIC.findall(expression)) & PROMETHEUS_OWN:
        return
    labels = {
        label
        for name in METRIC.findall(expression)
        for label in FAMILIES[name.removesuffix("_bucket")].labels
    }
    for group in re.findall(r"by \(([^)]*)\)", expression):
        assert set(group.split(", ")) - {"le"} <= labels


def test_panels_do_not_overlap_and_have_one_source():
    places = set()
    for panel in PANELS:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & places
        places |= cells
    (source,) = documents(
        DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
    )
    used = {t["datasource"]["uid"] for p in PANELS for t in p["targets"]}
    assert used == {source["datasources"][0]["uid"]}
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
