import pytest

from tfrs_app.contract.errors import ConfigError
from tfrs_app.contract.where import (
    Combination,
    Comparison,
    columns_of,
    parse_where,
)


@pytest.mark.parametrize(
    ("text", "operator", "values"),
    [
        ("a == 'x'", "==", ("x",)),
        ('a != "x"', "!=", ("x",)),
        ("a < 3", "<", (3,)),
        ("a <= -3.5", "<=", (-3.5,)),
        ("a > 1e3", ">", (1000.0,)),
        ("a >= 0", ">=", (0,)),
        ("a == True", "==", (True,)),
        ("a in ['x', 'y']", "in", ("x", "y")),
        ("a in ('x',)", "in", ("x",)),
        ("a not in {1, -2}", "not in", (1, -2)),
        ("a is None", "is null", ()),
        ("a is not None", "is not null", ()),
        ("  a < 3 ", "<", (3,)),
    ],
)
def test_comparisons(text, operator, values):
    assert parse_where(text) == Comparison("a", operator, values)


A, B, C = (Comparison(name, ">", (1,)) for name in "abc")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 1 and b > 1", Combination("and", (A, B))),
        ("a > 1 or b > 1 or c > 1", Combination("or", (A, B, C))),
        ("not a > 1", Combination("not", (A,))),
        (
            "a > 1 or b > 1 and c > 1",
            Combination("or", (A, Combination("and", (B, C)))),
        ),
        (
            "(a > 1 or b > 1) and not c > 1",
            Combination("and", (Combination("or", (A, B)), Combination("not", (C,)))),
        ),
    ],
)
def test_combinations_bind_as_in_python(text, expected):
    assert parse_where(text) == expected


def test_columns_of_names_each_column_once():
    assert columns_of(parse_where("a > 1 and (b == 2 or not a < 0)")) == {"a", "b"}


@pytest.mark.parametrize(
    "text",
    [
        "len(a) > 1",
        "a > len('x')",
        "a.b > 1",
        "a > b.c",
        "__import__('os').system('true') == 0",
        "(lambda: 1)() == 1",
        "lambda: 1",
        "a + 1 > 2",
        "a > 1 + 1",
        "a > f'{1}'",
        "a > b",
        "a == None",
        "a is 3",
        "a in b",
        "a in 'text'",
        "a in [b]",
        "a in [[1]]",
        "a in [x for x in [1]]",
        "a",
        "1",
        "'a' == 'b'",
        "1 < a",
        "1 < a < 3",
        "a < 3 < 4",
        "a[0] > 1",
        "a if a > 1 else b > 1",
        "(a := 1) > 0",
        "a > b'x'",
        "a > 1j",
        "a > ...",
        "-a > 1",
        "~a > 1",
        "a > ~1",
        "a == -'x'",
        "await a > 1",
        "*a",
    ],
)
def test_everything_else_is_refused(text):
    with pytest.raises(ConfigError, match=r"^where: .*(not allowed|not a condition)"):
        parse_where(text)


@pytest.mark.parametrize(
    "text", ["", "a >", "a = 1", "a > 1; b > 1", "a > 1\nb > 1", "import os", "a\0 > 1"]
)
def test_what_is_no_expression_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match="is not a condition; write for example"):
        parse_where(text)


def test_the_message_names_the_part_and_what_was_expected():
    with pytest.raises(ConfigError, match=r"'b' in 'a > b' is not allowed; expected a"):
        parse_where("a > b")
