import numpy as np
import pytest

from tfrs_app.cli.filters import filters_of
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.features import Feature, FeatureSpec

SPEC = FeatureSpec(
    features=(
        Feature(name="brand", role="candidate", kind="categorical"),
        Feature(name="price", role="candidate", kind="bucketized"),
        Feature(name="title", role="candidate", kind="text"),
        Feature(name="city", role="query", kind="categorical"),
    )
)


def test_options_become_a_batch_of_one():
    inputs = filters_of(["allow_brand=A, B=C", "min_price=2.5", "max_price=9"], SPEC)
    assert inputs["allow_brand"].tolist() == [["A", "B=C"]]
    assert inputs["min_price"].tolist() == [2.5]
    assert inputs["max_price"].dtype == np.float32
    assert filters_of([], SPEC) == {}


KNOWN = "one of allow_brand, block_brand, max_price, min_price"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["brand=A"], f"--filter brand=A: is no filter .* {KNOWN}"),
        (["allow_brand"], f"--filter allow_brand: is no filter .* {KNOWN}"),
        (["allow_city=Ulm"], f"is no filter .* {KNOWN}"),
        (["allow_title=x"], f"is no filter .* {KNOWN}"),
        (
            ["min_price=cheap"],
            "'cheap' is not a number; write for example min_price=9.5",
        ),
        (["min_price=1", "min_price=2"], "min_price is given twice; keep one"),
    ],
)
def test_what_is_no_filter_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        filters_of(given, SPEC)


def test_a_shop_without_item_columns_says_so():
    with pytest.raises(ConfigError, match="none, for no item column is declared"):
        filters_of(["min_price=1"], FeatureSpec())
