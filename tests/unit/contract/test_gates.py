import pytest

from tests.integration.beam.shop import CONFIG
from tfrs_app.contract.config import ShopConfig


def shop(**gates):
    sources = {
        name: {**CONFIG["data"][name], "source": "x"}
        for name in ("events", "items", "users")
    }
    return ShopConfig.model_validate(
        {**CONFIG, "data": {**CONFIG["data"], **sources, "gates": gates}}
    )


def test_gates_name_features():
    found = shop(
        max_nulls={"title": 1, "wait": 0.5}, max_oov={"item_id": 0, "store": 1}
    )
    assert found.data.gates.max_nulls["wait"] == 0.5


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        ({"max_nulls": {"colour": 0.1}}, r"max_nulls: 'colour'.+'color', 'size'"),
        ({"max_nulls": {"item_id": 0.1}}, r"max_nulls: 'item_id' is no feature"),
        ({"max_oov": {"wait": 0.1}}, r"max_oov: 'wait'.+'city', 'color', 'item_id'"),
        ({"max_oov": {"title": 0.1}}, "max_oov: 'title' is no feature"),
        ({"max_oov": {"store": 1.5}}, "less than or equal to 1"),
        ({"max_duplicates": -0.1}, "greater than or equal to 0"),
        ({"max_drift": 0}, "greater than 0"),
        ({"min_events": 0}, "greater than or equal to 1"),
        ({"max_null": {}}, "Extra inputs"),
    ],
)
def test_impossible_gates_are_refused(gates, message):
    with pytest.raises(ValueError, match=message):
        shop(**gates)
