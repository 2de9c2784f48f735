"""The codec against TensorFlow's own, both ways, and against broken messages."""

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework.tensor_pb2 import TensorProto

from serving.tensor_codec import TensorError, decode, encode, encode_content

ARRAYS = {
    "float32": np.array([[1.5, -2.25], [np.nan, np.inf]], np.float32),
    "float64": np.array([0.1, 1e300]),
    "float16": np.array([0.5, -65504.0], np.float16),
    "int8": np.array([-128, 127], np.int8),
    "uint8": np.array([0, 255], np.uint8),
    "int16": np.array([-32768], np.int16),
    "uint16": np.array([65535], np.uint16),
    "int32": np.array([[-(2**31)], [7]], np.int32),
    "uint32": np.array([2**32 - 1], np.uint32),
    "int64": np.array([-(2**63), 2**63 - 1]),
    "uint64": np.array([2**64 - 1], np.uint64),
    "bool": np.array([True, False]),
    "string": np.array([[b"a", b"\xff\x00"], [b"", "ü".encode()]], object),
    "scalar": np.array(3.0, np.float32),
    "empty": np.empty((0, 3), np.float32),
    "long": np.arange(5000, dtype=np.float32),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_encodes_what_tensorflow_reads_as_the_same_array(array):
    proto = TensorProto()
    encode(array, proto)
    read = tf.make_ndarray(proto)
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)
    assert proto.tensor_content == b""


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_decodes_what_tensorflow_writes(array):
    read = decode(tf.make_tensor_proto(array))
    assert read.dtype == array.dtype
    np.testing.assert_array_equal(read, array)


def test_writes_value_fields_that_clients_read_directly():
    proto = TensorProto()
    encode(np.array([2.5, 3.0], np.float32), proto)
    assert list(proto.float_val) == [2.5, 3.0]
    assert proto.dtype == 1
    assert [dim.size for dim in proto.tensor_shape.dim] == [2]


def proto(text, dtype="DT_FLOAT", shape=(3,)):
    sizes = "".join(f"dim {{ size: {size} }}" for size in shape)
    message = f"dtype: {dtype} tensor_shape {{ {sizes} }} {text}"
    return text_format.Parse(message, TensorProto())


@pytest.mark.parametrize(
    ("text", "dtype", "expected"),
    [
        ("float_val: 1 float_val: 2", "DT_FLOAT", [1.0, 2.0, 2.0]),
        ("", "DT_FLOAT", [0.0, 0.0, 0.0]),
        ("int_val: 4", "DT_INT32", [4, 4, 4]),
        ('string_val: "a"', "DT_STRING", [b"a", b"a", b"a"]),
        ("", "DT_STRING", [b"", b"", b""]),
        # A field of another type is not looked at, nor mixed up with the right one.
        ('float_val: [1, 2, 3] string_val: "zzzzzz"', "DT_FLOAT", [1.0, 2.0, 3.0]),
    ],
)
def test_fills_missing_values_as_tensorflow_does(text, dtype, expected):
    assert decode(proto(text, dtype)).tolist() == expected


@pytest.mark.parametrize(
    ("text", "dtype", "shape", "match"),
    [
        (
            "float_val: [1, 2, 3, 4]",
            "DT_FLOAT",
            (3,),
            "4 values do not fit a shape of 3",
        ),
        ("", "DT_FLOAT", (-1,), r"\[-1\] has a negative dimension"),
        (
            "",
            "DT_FLOAT",
            (1 << 40,),
            "a shape of 1099511627776 elements came with 0 values",
        ),
        (
            'tensor_content: "12345"',
            "DT_FLOAT",
            (1,),
            "5 bytes, but 1 elements of float have 4",
        ),
        (
            'tensor_content: "12"',
            "DT_STRING",
            (1,),
            "strings must be sent as string_val",
        ),
        ("int_val: 300", "DT_INT8", (1,), "a value outside int8"),
        ("half_val: 1", "DT_BFLOAT16", (1,), "DataType 14 is not supported"),
    ],
)
def test_refuses_broken_messages(text, dtype, shape, match):
    with pytest.raises(TensorError, match=match):
        decode(proto(text, dtype, shape))


def test_refuses_an_unknown_rank():
    broken = TensorProto(dtype=1)
    broken.tensor_shape.unknown_rank = True
    with pytest.raises(TensorError, match="unknown rank"):
        decode(broken)


def test_refuses_to_encode_an_unsupported_dtype():
    with pytest.raises(TensorError, match="complex64 is not supported"):
        encode(np.array([1j], np.complex64), TensorProto())


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_packs_what_tensorflow_reads_as_the_same_array(array):
    proto = TensorProto()
    encode_content(array, proto)
    np.testing.assert_array_equal(tf.make_ndarray(proto), array)
    assert (array.dtype == object) == bool(proto.string_val)
    if array.dtype != object and array.size:
        assert proto.tensor_content


def test_refuses_values_beside_content():
    both = proto('float_val: 1 tensor_content: "\\000\\000\\200?"', shape=(1,))
    with pytest.raises(TensorError, match="both tensor_content and float_val are set"):
        decode(both)


@pytest.mark.parametrize(
    ("text", "shape", "match"),
    [
        ("float_val: 1", (1,) * 65, "rank 65; at most 64"),
        ("", (0, 1 << 62, 1 << 62), "too large"),
        ("float_val: 1", (1 << 20, 2), "at most 1048576 are filled up"),
    ],
)
def test_refuses_shapes_that_no_array_can_have(text, shape, match):
    with pytest.raises(TensorError, match=match):
        decode(proto(text, shape=shape))
