import pytest

from tests.unit.data.qualities import quality
from tfrs_app.contract.errors import DataError
from tfrs_app.contract.gates import GatesConfig
from tfrs_app.data.drift import Drift
from tfrs_app.data.gates import check_gates, verdicts

COUNTS = {"events": {"rows_in": 200, "duplicates": 6}}
DRIFT = [
    Drift("item popularity", 9.0, gated=False),
    Drift("color", 0.3, gated=True),
    Drift("size", 0.1, gated=True),
]
GATES = [
    # gate, a limit that is kept, one that is not, the value
    ("max_nulls", {"color": 0.2}, {"color": 0.19}, "0.2"),
    ("max_oov", {"color": 0.125}, {"color": 0.12}, "0.125"),
    ("max_oov", {"item_id": 0.08}, {"item_id": 0.07}, "0.08"),
    ("max_duplicates", 0.03, 0.029, "0.03"),
    ("max_orphan_items", 0.4, 0.39, "0.4"),
    ("min_events", 100, 101, "100"),
    ("max_drift", 0.3, 0.29, "0.3"),
]


def judged(gate, limit, drift=DRIFT):
    return verdicts(GatesConfig(**{gate: limit}), quality(), COUNTS, drift)


@pytest.mark.parametrize(("gate", "kept", "broken", "value"), GATES)
def test_each_gate_is_kept_up_to_its_limit(gate, kept, broken, value):
    check_gates(judged(gate, kept))
    key = f"data.gates.{gate}" + (f".{next(iter(kept))}" if type(kept) is dict else "")
    limit = broken[next(iter(broken))] if type(broken) is dict else broken
    message = (
        rf"^{key}: {value} is beyond the limit {limit:,}; .+, or change the limit$"
    )
    with pytest.raises(DataError, match=message):
        check_gates(judged(gate, broken))


def test_every_broken_gate_has_a_sentence():
    gates = GatesConfig(min_events=1000, max_duplicates=0, max_orphan_items=1)
    found = verdicts(gates, quality(), COUNTS, [])
    assert [verdict.kept for verdict in found] == [False, False, True]
    with pytest.raises(DataError) as told:
        check_gates(found)
    assert len(str(told.value).splitlines()) == 2


def test_without_a_dataset_before_there_is_no_drift_gate():
    assert judged("max_drift", 0.1, drift=[]) == []


def test_no_gate_no_verdict():
    assert verdicts(GatesConfig(), quality(), COUNTS, DRIFT) == []
