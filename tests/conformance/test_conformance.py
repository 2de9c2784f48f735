"""TF Serving's contract, case by case, against every server that is at hand."""

from pathlib import Path

import httpx
import pytest
import yaml

from tests.conformance.asking import check, check_within
from tests.conformance.server import engines, server

CASES = Path(__file__).parent / "cases"
SEQUENCES = "reload.yaml"


def load_cases(path: Path) -> list[dict]:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


SINGLE = [
    case
    for path in sorted(CASES.glob("*.yaml"))
    if path.name != SEQUENCES
    for case in load_cases(path)
]
RELOADS = load_cases(CASES / SEQUENCES)


def parameters(cases):
    """Returns each case for each server; `pending` says what a case still waits for."""
    return [
        pytest.param(engine, case, id=f"{engine}-{case['id']}", marks=marks(case))
        for case in cases
        for engine in engines()
        if engine in case.get("engines", [engine])
    ]


def marks(case):
    if "pending" not in case:
        return []
    return [pytest.mark.xfail(reason=f"pending: {case['pending']}", strict=True)]


@pytest.mark.parametrize(("engine", "case"), parameters(SINGLE))
def test_answers_as_the_contract_says(addresses, engine, case):
    check(addresses(engine), case["request"], case["expected"])


def test_ids_are_unique():
    ids = [case["id"] for case in [*SINGLE, *RELOADS]]
    assert len(ids) == len(set(ids))
    assert len(ids) >= 120


@pytest.mark.parametrize(("engine", "case"), parameters(RELOADS))
def test_replaces_the_models(reloadable, saved, engine, case):
    for step in case["steps"]:
        request = dict(step["request"])
        if "message" in request:
            request["message"] = request["message"].replace("ROOT", str(saved))
        check_within(reloadable(engine), step | {"request": request})


MONITORING = "prometheus_config { enable: true }"


@pytest.mark.parametrize("engine", engines())
def test_prometheus(saved, engine):
    """Case `prometheus`, tensorflow_model_server_test.py."""
    config = saved / "monitoring.config"
    config.write_text(MONITORING, encoding="utf-8")
    flags = [
        f"--model_config_file={saved}/plain.config",
        f"--monitoring_config_file={config}",
    ]
    with server(engine, flags, saved / f"{engine}_monitoring.log") as address:
        answer = httpx.get(f"{address.rest}/monitoring/prometheus/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE :tensorflow:serving:request_count counter" in answer.text
