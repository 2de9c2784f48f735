"""JSON bodies against literal tensors, both ways."""

import json
import math

import numpy as np
import pytest

from serving.server.errors import ServingError
from serving.server.models.signature import Signature, TensorSpec
from serving.server.rest.predict_body import (
    Format,
    encode_answer,
    parse_body,
    to_arrays,
)
from serving.tensor_codec import type_of_name


def signature(defaults=(), **inputs):
    return Signature(
        name="serving_default",
        inputs={
            name: TensorSpec(f"{name}:0", type_of_name(f"DT_{kind.upper()}"), None)
            for name, kind in inputs.items()
        },
        outputs={},
        defaults={name: np.zeros(1) for name in defaults},
    )


def decoded(body, **inputs):
    arrays = to_arrays(parse_body(body.encode()), signature(**inputs))
    return {name: (a.shape, a.ravel().tolist()) for name, a in arrays.items()}


@pytest.mark.parametrize(
    ("inputs", "body", "expected"),
    [
        ({"x": "int32"}, '{"instances": [1, 2]}', {"x": ((2,), [1, 2])}),
        (
            {"x": "int32"},
            '{"instances": [[1,2],[3,4],[5,6]]}',
            {"x": ((3, 2), [1, 2, 3, 4, 5, 6])},
        ),
        (
            {"x": "int32"},
            '{"inputs": [[[1,2],[3,4],[5,6]]]}',
            {"x": ((1, 3, 2), [1, 2, 3, 4, 5, 6])},
        ),
        ({"x": "int32"}, '{"inputs": 5}', {"x": ((), [5])}),
        ({"x": "int32"}, '{"instances": [[], []]}', {"x": ((2, 0), [])}),
        ({"x": "float"}, '{"inputs": []}', {"x": ((0,), [])}),
        ({"x": "int32"}, '{"instances": [{"x": 1}, {"x": 2}]}', {"x": ((2,), [1, 2])}),
        ({"x": "float"}, '{"instances": [1, 2.5]}', {"x": ((2,), [1.0, 2.5])}),
        ({"x": "float"}, '{"instances": [1435774380]}', {"x": ((1,), [1435774336.0])}),
        (
            {"x": "float"},
            '{"instances": [1435774380.0]}',
            {"x": ((1,), [1435774336.0])},
        ),
        (
            {"x": "float"},
            '{"instances": [1.7976931348623157e308]}',
            {"x": ((1,), [math.inf])},
        ),
        (
            {"x": "float"},
            '{"instances": [2.2250738585072014e-308]}',
            {"x": ((1,), [0.0])},
        ),
        ({"x": "float"}, '{"instances": [-Infinity]}', {"x": ((1,), [-math.inf])}),
        (
            {"x": "int64"},
            '{"instances": [9223372036854775807]}',
            {"x": ((1,), [9223372036854775807])},
        ),
        (
            {"x": "uint64"},
            '{"instances": [18446744073709551615]}',
            {"x": ((1,), [18446744073709551615])},
        ),
        ({"x": "bool"}, '{"instances": [true, false]}', {"x": ((2,), [True, False])}),
        (
            {"x": "string"},
            '{"instances": ["h\\u00fc", ""]}',
            {"x": ((2,), ["hü".encode(), b""])},
        ),
        (
            {"x": "string"},
            '{"instances": [[{"b64": "aGVsbG8="}], [{"b64": "d29ybGQ="}]]}',
            {"x": ((2, 1), [b"hello", b"world"])},
        ),
        (
            {"i": "int32", "b": "string"},
            '{"inputs": {"i": [1], "b": {"b64": "aGVsbG8="}}}',
            {"i": ((1,), [1]), "b": ((), [b"hello"])},
        ),
        ({"x": "float"}, '{"inputs": {"x": [1.0], "zzz": 3}}', {"x": ((1,), [1.0])}),
        ({"x": "int32"}, '{"instances": [1]} and more', {"x": ((1,), [1])}),
    ],
)
def test_reads_rows_and_columns(inputs, body, expected):
    assert decoded(body, **inputs) == expected


def test_reads_nan_as_a_missing_number():
    arrays = to_arrays(parse_body(b'{"instances": [NaN, 1]}'), signature(x="float"))
    assert np.isnan(arrays["x"][0])
    assert arrays["x"].dtype == np.float32


INT, TWO = {"x": "int32"}, {"i": "int32", "s": "string"}


@pytest.mark.parametrize(
    ("inputs", "body", "match"),
    [
        (INT, "", "JSON Parse error: The document is empty"),
        (INT, "instances = [1, 2]", "JSON Parse error: Invalid value"),
        (INT, "[1,2]", "Is not object"),
        (INT, "{}", "Missing 'inputs' or 'instances' key"),
        (INT, '{"instances": [1], "inputs": [1]}', "only one of"),
        (INT, '{"instances": 1}', "Excepting 'instances' to be an list/array"),
        (INT, '{"instances": []}', "No values in 'instances' array"),
        (INT, '{"signature_name": 5, "instances": [1]}', "must be a string value"),
        (
            INT,
            '{"instances": [[1,2],["a","b"]]}',
            "Type: String is not of expected",
        ),
        (INT, '{"instances": [1.0]}', "not of expected type: int32"),
        (INT, '{"instances": [null]}', "not of expected type: int32"),
        (INT, '{"instances": [true]}', "not of expected type: int32"),
        (INT, '{"instances": [2147483648]}', "Number is not of expected type: int32"),
        (INT, '{"instances": [[1,2],[3,4],[5,6,7]]}', "Expecting tensor size: 2 .* 3"),
        (INT, '{"instances": [[1,2],[3,4],[[5,6]]]}', "Expecting shape"),
        (INT, '{"instances": [1, [1]]}', "Expecting shape"),
        (INT, '{"instances": [[1], 1]}', "Expecting shape"),
        (
            INT,
            '{"instances": [{"x": [1], "zzz": 1}]}',
            "does not have named input: zzz",
        ),
        ({"x": "float"}, '{"instances": [{"b64": "aA=="}]}', "not of expected type"),
        ({"x": "float"}, '{"instances": [true]}', "not of expected type: float"),
        (
            {"x": "float"},
            '{"instances": [1%s]}' % ("0" * 400),
            "Number too big",
        ),
        ({"x": "bool"}, '{"instances": [1]}', "not of expected type: bool"),
        ({"x": "string"}, '{"instances": [{"b64": "!!"}]}', "Unable to base64 decode"),
        (
            {"x": "string"},
            '{"instances": ["\\ud800"]}',
            "surrogate pair",
        ),
        ({"x": "string"}, '{"instances": [1]}', "not of expected type: string"),
        (
            {"x": "string"},
            '{"instances": [[{"b64": "aA==", "c": 1}]]}',
            "not formatted correctly for base64 data",
        ),
        (
            {"s": "string"},
            '{"instances": [["a"], {"s": ["a"]}]}',
            "Expecting value/list but got object at item 1",
        ),
        (
            {"s": "string"},
            '{"instances": [{"s": ["a"]}, ["a"]]}',
            "Expecting object but got list at item 1",
        ),
        (TWO, '{"instances": [1,2]}', "plain list"),
        (TWO, '{"inputs": [1,2]}', "plain value/list"),
        (TWO, '{"instances": [{"b64": "aA=="}]}', "plain list"),
        (TWO, '{"instances": [{"i": [1]}]}', "keys must be equal to: i,s"),
        (TWO, '{"inputs": {"i": [1]}}', "Missing named input: s"),
        ({}, '{"inputs": 1}', "Failed to get input map for signature"),
    ],
)
def test_refuses(inputs, body, match):
    with pytest.raises(ServingError, match=match) as caught:
        decoded(body, **inputs)
    assert caught.value.http_status == 400


def test_half_inputs_are_unimplemented():
    with pytest.raises(ServingError, match="Conversion of JSON Value") as caught:
        decoded('{"instances": [1.0]}', x="half")
    assert caught.value.http_status == 501


def test_keeps_the_signature_name():
    body = parse_body(b'{"signature_name": "other", "instances": [[1,2]]}')
    assert body.signature_name == "other"
    assert body.format is Format.ROWS


def test_inputs_with_a_default_may_be_left_out():
    spec = signature(defaults=["k"], x="int32", k="int32")
    for text in (b'{"inputs": {"x": [1]}}', b'{"instances": [{"x": 1}]}'):
        assert list(to_arrays(parse_body(text), spec)) == ["x"]


def test_rows_must_agree_on_the_inputs_left_out():
    spec = signature(defaults=["k"], x="int32", k="int32")
    body = parse_body(b'{"instances": [{"x": 1}, {"x": 2, "k": 3}]}')
    with pytest.raises(ServingError, match=r"element: 1 .* keys must be equal"):
        to_arrays(body, spec)


def strings(values):
    return np.array(values, dtype=object)


MANY = {"a": np.array([8.0, 9.0], np.float32), "b": strings([[b"foo"], [b"baz"]])}


@pytest.mark.parametrize(
    ("form", "outputs", "expected"),
    [
        (Format.ROWS, {"y": np.array([2.5, 3], "f")}, '{"predictions":[2.5,3.0]}'),
        (Format.COLUMNS, {"y": np.array([2.5, 3], "f")}, '{"outputs":[2.5,3.0]}'),
        (Format.COLUMNS, {"y": np.array(2.5, "f")}, '{"outputs":2.5}'),
        (Format.ROWS, {"t": np.empty((0, 2), "f")}, '{"predictions":[]}'),
        (
            Format.ROWS,
            {"y": np.array([np.nan, np.inf, -np.inf, 0.1], "f")},
            '{"predictions":[NaN,Infinity,-Infinity,0.1]}',
        ),
        (
            Format.ROWS,
            MANY,
            '{"predictions":[{"a":8.0,"b":["foo"]},{"a":9.0,"b":["baz"]}]}',
        ),
        (Format.COLUMNS, MANY, '{"outputs":{"a":[8.0,9.0],"b":[["foo"],["baz"]]}}'),
        (
            Format.ROWS,
            {"x_bytes": strings([b"hello", b"tf"])},
            '{"predictions":[{"b64":"aGVsbG8="},{"b64":"dGY="}]}',
        ),
        (Format.ROWS, {"s": strings([b"a\xff"])}, '{"predictions":["a\ufffd"]}'),
        (Format.ROWS, {"n": np.array([2**63 - 1])}, f'{{"predictions":[{2**63 - 1}]}}'),
        (Format.ROWS, {"b": np.array([True])}, '{"predictions":[true]}'),
    ],
)
def test_writes(form, outputs, expected):
    assert encode_answer(outputs, form).decode() == expected


def test_writes_numbers_that_read_back_as_the_same_float():
    values = np.array([9000000, 999999, 0.5, 0.0003, 3e-05, 555557.5], np.float32)
    answer = json.loads(encode_answer({"f": values}, Format.ROWS))
    assert np.float32(answer["predictions"]).tolist() == values.tolist()


@pytest.mark.parametrize(
    ("outputs", "match"),
    [
        ({"a": np.array(1.0, np.float32)}, "no shape information"),
        (
            {"a": np.zeros((2, 3), np.float32), "b": np.zeros((1, 3), np.float32)},
            "inconsistent batch size",
        ),
    ],
)
def test_refuses_to_cut_into_rows(outputs, match):
    with pytest.raises(ServingError, match=match) as caught:
        encode_answer(outputs, Format.ROWS)
    assert caught.value.http_status == 400
