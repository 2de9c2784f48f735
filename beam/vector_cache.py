"""Every vector that one encoder ever gave a text, in files that prove themselves.

A file is called by the sha256 of its content, so a torn or changed one is told from a
whole one by itself, a repeated task writes the same file again, and what a killed job
had finished is still good.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam.sinks import atomic_file
from tfrs_app.contract.artifacts import sha256_of
from tfrs_app.contract.errors import ArtifactError

KEY_BYTES = 16
_ENDING = ".arrow"
_KEY, _VECTOR = "key", "vector"
_KEY_TYPE = pa.binary(KEY_BYTES)


@dataclass(frozen=True)
class VectorCache:
    """Finds vectors by the keys of their texts.

    Args:
        tables: one a file: `key` `[n]` and `vector` `[n, dim]`, mapped from the disk.
    """

    tables: tuple[Any, ...] = ()

    @classmethod
    def open(cls, folder: Path, tell: Callable[[str], None]) -> VectorCache:
        """Opens all whole files of a folder; deletes and tells damaged ones.

        The caller holds the folder's lock.

        Raises:
            ArtifactError: the vectors have several widths.
        """
        for left in folder.glob(".*.partial"):
            left.unlink()
        whole = []
        for path in sorted(folder.glob(f"*{_ENDING}")):
            table = _read(path)
            if table is None:
                path.unlink()
                tell(
                    f"{path}: is damaged and was deleted; the texts of that file are "
                    "embedded again"
                )
            else:
                whole.append(table)
        return cls().with_tables(folder, whole)

    def with_files(self, folder: Path, paths: list[Path]) -> VectorCache:
        """Returns the cache with files that were written meanwhile.

        Raises:
            RuntimeError: one is damaged.
            ArtifactError: the vectors have several widths.
        """
        tables = [_read(path) for path in paths]
        if any(table is None for table in tables):
            raise RuntimeError(f"{folder}: a file that was just written is damaged")
        return self.with_tables(folder, tables)

    def with_tables(self, folder: Path, tables: list[Any]) -> VectorCache:
        """Returns the cache with further tables; the first row of a key counts."""
        grown = replace(self, tables=(*self.tables, *tables))
        widths = {table.schema.field(_VECTOR).type.list_size for table in grown.tables}
        if len(widths) > 1:
            raise ArtifactError(
                f"{folder}: holds vectors of widths {sorted(widths)} although one "
                "encoder makes one; delete the folder and embed again"
            )
        return grown

    def places(self, keys: Any) -> np.ndarray:
        """Returns where each key's vector stands, int64 `[n]`; -1 for none."""
        chunks = [chunk for t in self.tables for chunk in t.column(_KEY).chunks]
        known = pa.chunked_array(chunks, _KEY_TYPE).combine_chunks()
        found: np.ndarray = (
            pc.index_in(keys, value_set=known).fill_null(-1).to_numpy().astype(np.int64)
        )
        return found

    @property
    def dim(self) -> int:
        """Returns the width of the vectors of a cache that is not empty."""
        return int(self.tables[0].schema.field(_VECTOR).type.list_size)

    def fill(self, vectors: np.ndarray, places: np.ndarray) -> None:
        """Copies the vectors at some places into an array `[n, dim]`, file by file."""
        start = 0
        for block in self._blocks():
            inside = np.flatnonzero((places >= start) & (places < start + len(block)))
            vectors[inside] = block[places[inside] - start]
            start += len(block)

    def _blocks(self) -> Iterator[np.ndarray]:
        for table in self.tables:
            flat = table.column(_VECTOR).combine_chunks().flatten()
            yield flat.to_numpy(zero_copy_only=True).reshape(-1, self.dim)


def keys_of(texts: Any) -> Any:
    """Returns 16 bytes of BLAKE2b of each text's UTF-8, fixed-size binary `[texts]`."""
    digests = (
        hashlib.blake2b(text, digest_size=KEY_BYTES).digest()
        for text in texts.cast(pa.large_binary()).to_pylist()
    )
    return pa.array(digests, _KEY_TYPE)


def write_vectors(folder: Path, keys: Any, vectors: np.ndarray) -> Path:
    """Writes a file of vectors, float32 `[n, dim]`, under the name of its content."""
    flat = pa.array(np.ascontiguousarray(vectors).ravel(), pa.float32())
    column = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    table = pa.table({_KEY: keys, _VECTOR: column})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    content = sink.getvalue()
    path = folder / f"{hashlib.sha256(content).hexdigest()}{_ENDING}"
    with atomic_file(path) as file:
        file.write(content)
    return path


def _read(path: Path) -> Any | None:
    """Maps a file into memory; None if it is not what its name says, or no cache."""
    if f"{sha256_of(path)}{_ENDING}" != path.name:
        return None
    try:
        with pa.memory_map(str(path)) as file:
            table = pa.ipc.open_file(file).read_all()
    except pa.ArrowInvalid:
        return None
    return table if _fits(table.schema) else None


def _fits(schema: Any) -> bool:
    if schema.names != [_KEY, _VECTOR] or schema.field(_KEY).type != _KEY_TYPE:
        return False
    kind = schema.field(_VECTOR).type
    return bool(pa.types.is_fixed_size_list(kind) and kind.value_type == pa.float32())
