import pytest

from beam.event_counts import purchase_type
from beam.tables import TablePlan
from tfrs_app.contract.features import FeatureSpec


@pytest.mark.parametrize(
    ("weights", "purchase"),
    [
        ({"purchase": 1.0}, "purchase"),
        ({"view": 0.1, "order": 2.0, "cart": 0.5}, "order"),
        ({"view": 3.0, "buy": 0.5}, "view"),
        ({"view": 1.0, "buy": 1.0, "a": 0.1}, "view"),  # evaluation takes the first too
    ],
)
def test_the_weightiest_type_is_the_purchase(weights, purchase):
    spec = FeatureSpec(features=(), event_weights=weights)
    plan = TablePlan("events", (), event_types=tuple(sorted(weights)))
    assert plan.event_types[purchase_type(spec, plan)] == purchase
