"""Converts TensorProto messages to and from numpy without importing TensorFlow.

Client and server share it. Strings are object arrays of `bytes`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# A message may name a huge shape and give one value to fill it with.
_MAX_FILLED_ELEMENTS = 1 << 20

# numpy's limit; TensorFlow's is 254.
MAX_RANK = 64

_VARINT_CONTINUES = 0x80


class TensorError(ValueError):
    """Reports a tensor that cannot be converted; says what was received."""


@dataclass(frozen=True)
class TensorType:
    """Describes an element type: its number in TensorFlow's enum, numpy's, its field.

    `packed_tag` is the wire tag (field number << 3 | 2) of a field of fixed width: such
    values are copied as one block, 20 to 50 times faster than one by one.
    """

    number: int
    name: str
    dtype: np.dtype[Any]
    field: str
    packed_tag: int | None = None

    @property
    def is_string(self) -> bool:
        """Tells whether elements are byte strings."""
        return self.field == "string_val"

    @property
    def is_supported(self) -> bool:
        """Tells whether tensors of the type can be converted."""
        return bool(self.field)


STRING = TensorType(7, "string", np.dtype(object), "string_val")
HALF = TensorType(19, "half", np.dtype(np.float16), "half_val")

_TYPES = (
    TensorType(1, "float", np.dtype(np.float32), "float_val", packed_tag=5 << 3 | 2),
    TensorType(2, "double", np.dtype(np.float64), "double_val", packed_tag=6 << 3 | 2),
    TensorType(3, "int32", np.dtype(np.int32), "int_val"),
    TensorType(4, "uint8", np.dtype(np.uint8), "int_val"),
    TensorType(5, "int16", np.dtype(np.int16), "int_val"),
    TensorType(6, "int8", np.dtype(np.int8), "int_val"),
    STRING,
    TensorType(9, "int64", np.dtype(np.int64), "int64_val"),
    TensorType(10, "bool", np.dtype(np.bool_), "bool_val"),
    TensorType(17, "uint16", np.dtype(np.uint16), "int_val"),
    HALF,
    TensorType(22, "uint32", np.dtype(np.uint32), "uint32_val"),
    TensorType(23, "uint64", np.dtype(np.uint64), "uint64_val"),
)
_BY_NUMBER = {kind.number: kind for kind in _TYPES}
_BY_NAME = {f"DT_{kind.name.upper()}": kind for kind in _TYPES}
_BY_DTYPE = {kind.dtype: kind for kind in _TYPES}


def type_of_number(number: int) -> TensorType:
    """Returns the type with this number in TensorFlow's `DataType`.

    Raises:
        TensorError: the number stands for a type that is not supported.
    """
    if number not in _BY_NUMBER:
        raise TensorError(f"DataType {number} is not supported")
    return _BY_NUMBER[number]


def type_of_name(name: str) -> TensorType:
    """Returns the type with this name in TensorFlow's `DataType`, like `DT_FLOAT`.

    Raises:
        TensorError: the name stands for a type that is not supported.
    """
    if name not in _BY_NAME:
        raise TensorError(f"DataType {name} is not supported")
    return _BY_NAME[name]


def string_array(values: list[bytes]) -> Array:
    """Returns byte strings as an object array, `[len(values)]`."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def decode(proto: Any) -> Array:
    """Returns the array that a TensorProto holds.

    As in TensorFlow, missing trailing values repeat the last one; no value means zeros
    or empty strings.

    Raises:
        TensorError: the type is not supported, or shape and values disagree.
    """
    kind = type_of_number(proto.dtype)
    shape = _shape(proto.tensor_shape)
    size = math.prod(shape)
    if proto.tensor_content:
        values = _content(proto, kind, size)
    else:
        values = _fill(_listed(proto, kind), size)
    try:
        return values.reshape(shape)
    except ValueError as error:  # no element, and a product beyond numpy's integers
        raise TensorError(f"tensor_shape {list(shape)} is too large") from error


def encode(array: Array, proto: Any) -> None:
    """Writes an array into an empty TensorProto, as `*_val` fields.

    Raises:
        TensorError: the array's dtype is not supported.
    """
    kind = _describe(array, proto)
    if kind.packed_tag is not None:
        block = array.astype(kind.dtype.newbyteorder("<"), copy=False).tobytes()
        header = bytes([kind.packed_tag]) + _varint(len(block))
        proto.MergeFromString(header + block)
        return
    flat = array.ravel()
    if kind is HALF:
        flat = flat.view(np.uint16)
    getattr(proto, kind.field).extend(flat.tolist())


def encode_content(array: Array, proto: Any) -> None:
    """Writes an array into an empty TensorProto as `tensor_content`; strings as values.

    Raises:
        TensorError: the array's dtype is not supported.
    """
    if array.dtype == object:
        encode(array, proto)
        return
    kind = _describe(array, proto)
    little_endian = array.astype(kind.dtype.newbyteorder("<"), copy=False)
    proto.tensor_content = little_endian.tobytes()


def _describe(array: Array, proto: Any) -> TensorType:
    kind = _BY_DTYPE.get(array.dtype)
    if kind is None:
        raise TensorError(f"dtype {array.dtype} is not supported")
    proto.dtype = kind.number
    proto.tensor_shape.SetInParent()
    for size in array.shape:
        proto.tensor_shape.dim.add().size = size
    return kind


def _shape(proto: Any) -> tuple[int, ...]:
    if proto.unknown_rank:
        raise TensorError("tensor_shape has an unknown rank; a value needs a shape")
    if len(proto.dim) > MAX_RANK:
        raise TensorError(
            f"tensor_shape has rank {len(proto.dim)}; at most {MAX_RANK} is supported"
        )
    shape = tuple([dim.size for dim in proto.dim])
    if shape and min(shape) < 0:
        raise TensorError(f"tensor_shape {list(shape)} has a negative dimension")
    return shape


def _content(proto: Any, kind: TensorType, size: int) -> Array:
    if kind.is_string:
        raise TensorError("strings must be sent as string_val, not as tensor_content")
    if len(getattr(proto, kind.field)):
        raise TensorError(f"both tensor_content and {kind.field} are set; send one")
    content: bytes = proto.tensor_content
    if len(content) != size * kind.dtype.itemsize:
        raise TensorError(
            f"tensor_content has {len(content)} bytes, but {size} elements of "
            f"{kind.name} have {size * kind.dtype.itemsize}"
        )
    return np.frombuffer(content, kind.dtype.newbyteorder("<")).astype(
        kind.dtype, copy=False
    )


def _listed(proto: Any, kind: TensorType) -> Array:
    values = getattr(proto, kind.field)
    if kind.packed_tag is not None:
        return _packed(proto, kind, len(values))
    if kind.is_string:
        return string_array(list(values))
    try:
        if kind is HALF:
            return np.array(values, np.uint16).view(np.float16)
        return np.fromiter(values, kind.dtype, len(values))
    except OverflowError as error:
        raise TensorError(f"{kind.field} holds a value outside {kind.name}") from error


def _packed(proto: Any, kind: TensorType, count: int) -> Array:
    if not count:
        return np.empty(0, kind.dtype)
    # A message of this one field alone ends with its values, little endian.
    alone = type(proto)()
    getattr(alone, kind.field).MergeFrom(getattr(proto, kind.field))
    block = alone.SerializeToString()[-count * kind.dtype.itemsize :]
    return np.frombuffer(block, kind.dtype.newbyteorder("<")).astype(
        kind.dtype, copy=False
    )


def _fill(values: Array, size: int) -> Array:
    missing = size - len(values)
    if missing == 0:
        return values
    if missing < 0:
        raise TensorError(f"{len(values)} values do not fit a shape of {size} elements")
    if size > _MAX_FILLED_ELEMENTS:
        raise TensorError(
            f"a shape of {size} elements came with {len(values)} values; at most "
            f"{_MAX_FILLED_ELEMENTS} are filled up"
        )
    blank = b"" if values.dtype == object else 0
    filler = values[-1] if len(values) else blank
    return np.concatenate([values, np.full(missing, filler, values.dtype)])


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= _VARINT_CONTINUES:
        encoded.append(number & 0x7F | _VARINT_CONTINUES)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
