import numpy as np
import pytest

from serving.json_text import JsonError, dumps, loads


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b'{"a": [1, 2.5]}', {"a": [1, 2.5]}),
        (b'{"a": 1} trailing', {"a": 1}),
        (b' {"a": Infinity, "b": -Infinity}', {"a": np.inf, "b": -np.inf}),
        (b"[18446744073709551616]", [1.8446744073709552e19]),
    ],
)
def test_reads(text, expected):
    assert loads(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"[Inf, -Inf, Infinity]", [np.inf, -np.inf, np.inf]),
        (b'["-NaN, Inf", "\\"", NaN]', ["-NaN, Inf", '"', np.nan]),
        (b"[-NaN]", [np.nan]),
        (b"[NaN, -9223372036854775809, 18446744073709551615]",
         [np.nan, -9223372036854775808.0, 18446744073709551615]),
        (b'["\xff", "\\ud83d\\ude00"]', ["\udcff", "\U0001f600"]),
        (b'["\xff", "\\\\ud800"]', ["\udcff", "\\ud800"]),
    ],
)  # fmt: skip
def test_reads_as_rapidjson(text, expected):
    assert repr(loads(text)) == repr(expected)


def quadratic(text):
    return text * 200_000


@pytest.mark.parametrize(
    "text", [quadratic(b'\\"'), quadratic(b'"'), quadratic(b"-NaN "), quadratic(b'["')]
)
def test_long_broken_texts_are_read_once(text):
    with pytest.raises(JsonError):
        loads(b'["' + text)


def test_reads_nan():
    value = loads(b'{"a": NaN}')["a"]
    assert value != value


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (b"", "The document is empty"),
        (b" \n", "The document is empty"),
        (b"instances = [1, 2]", r"Invalid value\. at offset: 0"),
        (b'{"a": \xff}', "Invalid value"),
        (b"[" * 500_000, "Invalid value"),
        (b"9" * 6000 + b"x", "Number too big"),
    ],
    ids=["empty", "blank", "not-json", "not-utf8", "deep", "long-number"],
)
def test_refuses(text, match):
    with pytest.raises(JsonError, match=match):
        loads(text)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([0.1, 3.0], np.float32), b"[0.1,3.0]"),
        (np.array([0.1, np.nan], np.float32), b"[0.1,NaN]"),
        (np.array([[np.inf], [-np.inf]], np.float32), b"[[Infinity],[-Infinity]]"),
        (np.array([0.1, np.nan]), b"[0.1,NaN]"),
        (np.array(0.1, np.float32), b"0.1"),
        (np.array([1, -2]), b"[1,-2]"),
        (np.array([True]), b"[true]"),
        (np.empty((0, 2), np.float32), b"[]"),
        (np.arange(4, dtype=np.float32).reshape(2, 2).T, b"[[0.0,2.0],[1.0,3.0]]"),
    ],
)
def test_writes_the_shortest_text_of_each_number(values, expected):
    assert dumps(values, [values]) == expected


def test_writes_rows_that_mix_types_beside_a_nan():
    scores = np.array([0.1, np.nan], np.float32)
    counts = np.array([1, 2])
    rows = [{"s": s, "n": n} for s, n in zip(scores, counts, strict=True)]
    assert dumps(rows, [scores, counts]) == b'[{"s":0.1,"n":1},{"s":NaN,"n":2}]'


def test_refuses_what_has_no_json_form():
    with pytest.raises(TypeError, match="object"):
        dumps(object(), [])
