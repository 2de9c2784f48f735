import pytest

from tests.unit.export.test_filters import SPEC
from tfrs_app.cli.filters import filters_of
from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.features import FeatureSpec


def test_options_become_what_the_client_takes():
    given = ["allow_colour=A, B=C", "min_price=2.5", "max_price=9"]
    assert filters_of(given, SPEC) == {
        "allow_colour": ["A", "B=C"],
        "min_price": 2.5,
        "max_price": 9.0,
    }
    assert filters_of([], SPEC) == {}


KNOWN = "one of allow_colour, block_colour, max_price, max_stars, min_price, min_stars"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["colour=A"], f"--filter colour=A: is no filter .* {KNOWN}"),
        (["allow_colour"], f"--filter allow_colour: is no filter .* {KNOWN}"),
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
