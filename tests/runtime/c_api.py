"""TensorFlow's C API by ctypes: runs a SavedModel without importing TensorFlow.

Source of the functions: c_api.h and tf_tensor.h in tensorflow/c of TensorFlow 2.11.
Nothing of the repository is imported: no other TensorFlow may come into the process.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

STRING = 7
DTYPES = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64, 10: np.bool_}
"""numpy's types by their number in TensorFlow's `DataType`, strings aside."""
NUMBERS = {np.dtype(kind): number for number, kind in DTYPES.items()}
STRING_BYTES = 24
"""sizeof(TF_TString)"""
_POINTER, _SIZE, _TEXT = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_char_p
_TEXTS, _TENSORS = ctypes.POINTER(_TEXT), ctypes.POINTER(_POINTER)


class _Buffer(ctypes.Structure):
    """TF_Buffer: bytes that the library made."""

    _fields_ = [("data", _POINTER), ("length", _SIZE), ("deallocator", _POINTER)]


# name -> (result, arguments); a call without its types would cut pointers to 32 bits
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "TF_Version": (_TEXT, []),
    "TF_NewStatus": (_POINTER, []),
    "TF_GetCode": (ctypes.c_int, [_POINTER]),
    "TF_Message": (_TEXT, [_POINTER]),
    "TF_NewGraph": (_POINTER, []),
    "TF_NewSessionOptions": (_POINTER, []),
    "TF_LoadLibrary": (_POINTER, [_TEXT, _POINTER]),
    "TF_LoadSessionFromSavedModel": (
        _POINTER,
        [_POINTER, _POINTER, _TEXT, _TEXTS, ctypes.c_int, *[_POINTER] * 3],
    ),
    "TF_GetAllOpList": (ctypes.POINTER(_Buffer), []),
    "TF_GraphOperationByName": (_POINTER, [_POINTER, _TEXT]),
    "TF_AllocateTensor": (
        _POINTER,
        [ctypes.c_int, ctypes.POINTER(ctypes.c_int64), ctypes.c_int, _SIZE],
    ),
    "TF_TensorData": (_POINTER, [_POINTER]),
    "TF_TensorByteSize": (_SIZE, [_POINTER]),
    "TF_TensorType": (ctypes.c_int, [_POINTER]),
    "TF_NumDims": (ctypes.c_int, [_POINTER]),
    "TF_Dim": (ctypes.c_int64, [_POINTER, ctypes.c_int]),
    "TF_DeleteTensor": (None, [_POINTER]),
    "TF_StringInit": (None, [_POINTER]),
    "TF_StringCopy": (None, [_POINTER, _TEXT, _SIZE]),
    "TF_StringGetDataPointer": (_POINTER, [_POINTER]),
    "TF_StringGetSize": (_SIZE, [_POINTER]),
    "TF_SessionRun": (
        None,
        [
            *[_POINTER, _POINTER],
            *[_POINTER, _TENSORS, ctypes.c_int],  # what is fed
            *[_POINTER, _TENSORS, ctypes.c_int],  # what is fetched
            *[_POINTER, ctypes.c_int, _POINTER, _POINTER],
        ],
    ),
}


class LibraryError(Exception):
    """Holds what the library said when it refused something."""


class _Output(ctypes.Structure):
    """TF_Output: one of the results of an operation."""

    _fields_ = [("operation", _POINTER), ("index", ctypes.c_int)]


class Library:
    """Holds the functions of TensorFlow's shared libraries."""

    def __init__(self, tensorflow: Sequence[Path], ops: Sequence[Path] = ()) -> None:
        """Loads TensorFlow's libraries in this order, then those of custom ops.

        Raises:
            OSError: a file is missing or needs a symbol that no other one has.
            LibraryError: a library of ops does not fit this TensorFlow.
        """
        for path in tensorflow:
            self._last = ctypes.CDLL(str(path), ctypes.RTLD_GLOBAL)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self._last, name)
            function.restype, function.argtypes = result, arguments
        self.status = self("TF_NewStatus")
        for path in ops:
            self("TF_LoadLibrary", str(path).encode(), self.status)
            self.check()

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Calls a function of the C API."""
        return getattr(self._last, name)(*arguments)

    @property
    def version(self) -> str:
        """Returns TensorFlow's version."""
        text: bytes = self("TF_Version")
        return text.decode()

    def ops(self) -> bytes:
        """Returns all ops that are registered, a serialised OpList."""
        buffer = self("TF_GetAllOpList").contents
        return ctypes.string_at(buffer.data, buffer.length)

    def check(self) -> None:
        """Raises LibraryError unless the last call with a status went well."""
        if self("TF_GetCode", self.status):
            self._fail()

    def _fail(self) -> NoReturn:
        message: bytes = self("TF_Message", self.status)
        raise LibraryError(message.decode(errors="replace"))


class Model:
    """Runs a SavedModel that the C++ loader has read, as a model server does."""

    def __init__(self, library: Library, folder: Path) -> None:
        """Loads the graph tagged `serve`, restores its variables and initialises it."""
        self._library = library
        self._graph = library("TF_NewGraph")
        tags = (_TEXT * 1)(b"serve")
        self._session = library(
            "TF_LoadSessionFromSavedModel",
            library("TF_NewSessionOptions"),
            None,
            str(folder).encode(),
            tags,
            1,
            self._graph,
            None,
            library.status,
        )
        library.check()

    def run(self, feeds: dict[str, np.ndarray], fetches: list[str]) -> list[np.ndarray]:
        """Returns the values of graph tensors, named `operation:index`."""
        tensors = [to_tensor(self._library, value) for value in feeds.values()]
        given = (_POINTER * len(tensors))(*tensors)
        got = (_POINTER * len(fetches))()
        self._library(
            "TF_SessionRun",
            self._session,
            None,
            self._outputs(list(feeds)),
            given,
            len(feeds),
            self._outputs(fetches),
            got,
            len(fetches),
            None,
            0,
            None,
            self._library.status,
        )
        self._library.check()
        arrays = [to_array(self._library, tensor) for tensor in got]
        for tensor in (*tensors, *got):
            self._library("TF_DeleteTensor", tensor)
        return arrays

    def _outputs(self, names: list[str]) -> Any:
        outputs = (_Output * len(names))()
        for output, name in zip(outputs, names, strict=True):
            operation, _, index = name.partition(":")
            found = self._library(
                "TF_GraphOperationByName", self._graph, operation.encode()
            )
            if not found:
                raise LibraryError(f"the graph has no operation {operation!r}")
            output.operation, output.index = found, int(index or 0)
        return outputs


def to_tensor(library: Library, array: np.ndarray) -> int:
    """Returns a new TF_Tensor with an array's values; objects are byte strings."""
    is_string = array.dtype == object
    kind = STRING if is_string else NUMBERS[array.dtype]
    size = array.size * STRING_BYTES if is_string else array.nbytes
    shape = (ctypes.c_int64 * array.ndim)(*array.shape)
    tensor: int = library("TF_AllocateTensor", kind, shape, array.ndim, size)
    data = library("TF_TensorData", tensor)
    if is_string:
        for place, text in enumerate(array.ravel().tolist()):
            string = data + place * STRING_BYTES
            library("TF_StringInit", string)
            library("TF_StringCopy", string, text, len(text))
    elif size:
        ctypes.memmove(data, np.ascontiguousarray(array).ctypes.data, size)
    return tensor


def to_array(library: Library, tensor: int) -> np.ndarray:
    """Returns a copy of a TF_Tensor's values."""
    kind = library("TF_TensorType", tensor)
    dimensions = range(library("TF_NumDims", tensor))
    shape = [library("TF_Dim", tensor, axis) for axis in dimensions]
    data = library("TF_TensorData", tensor)
    if kind != STRING:
        block = ctypes.string_at(data, library("TF_TensorByteSize", tensor))
        return np.frombuffer(block, DTYPES[kind]).reshape(shape)
    texts = np.empty(int(np.prod(shape)), dtype=object)
    for place in range(len(texts)):
        string = data + place * STRING_BYTES
        start = library("TF_StringGetDataPointer", string)
        texts[place] = ctypes.string_at(start, library("TF_StringGetSize", string))
    return texts.reshape(shape)
