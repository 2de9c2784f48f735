import numpy as np
import pytest

from serving.client.connect import connect
from serving.client.errors import InvalidRequest
from serving.client.tensors import to_array
from serving.tensor_codec import type_of_name


def convert(value, kind):
    return to_array("x", value, type_of_name(f"DT_{kind.upper()}"))


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ([1, 2], "float", np.array([1, 2], np.float32)),
        (np.array([1.5]), "float", np.array([1.5], np.float32)),
        ([1e300], "float", np.array([np.inf], np.float32)),
        ([[]], "int64", np.empty((1, 0), np.int64)),
        (3, "int32", np.array(3, np.int32)),
        ([True], "bool", np.array([True])),
        (["ü", b"\xff"], "string", np.array(["ü".encode(), b"\xff"], object)),
        (np.array(["a", "b"]), "string", np.array([b"a", b"b"], object)),
        ([[]], "string", np.empty((1, 0), object)),
        ("one", "string", np.array(b"one", object)),
    ],
)
def test_converts(value, kind, expected):
    array = convert(value, kind)
    assert array.dtype == expected.dtype
    assert array.shape == expected.shape
    assert array.tolist() == expected.tolist()


@pytest.mark.parametrize(
    ("value", "kind", "match"),
    [
        ([1.5], "int64", "'x' has float64, expected int64"),
        (["1"], "float", "expected float"),
        ([True], "int32", "has bool, expected int32"),
        ([1], "bool", "expected bool"),
        ([2**31], "int32", r"has 2147483648\.\.2147483648, expected int32"),
        ([-1], "uint8", r"-1\.\.-1, expected uint8"),
        ([[1], [1, 2]], "float", "unequal lengths"),
        ([None], "float", "expected float"),
        ([1], "string", "has int 1, expected strings"),
        ([["a"], ["a", "b"]], "string", "lists"),
    ],
)
def test_refuses(value, kind, match):
    with pytest.raises(InvalidRequest, match=match):
        convert(value, kind)


@pytest.mark.parametrize("address", ["localhost", "ftp://h:1", "", "http://host"])
def test_connect_refuses_other_addresses(address):
    with pytest.raises(InvalidRequest, match="must be host:port"):
        connect(address, model="m")
