"""The check of an embedded version's files before Chroma opens them: a torn index can end the process.

Read-only and without chromadb. The layout is that of hnswlib as Chroma 1.5 writes it: `header.bin` (sizes and
counts), `data_level0.bin` (per row: links, vector, label), `length.bin`, `link_lists.bin` (upper levels) and
`index_metadata.pickle` (labels to ids), beside `chroma.sqlite3`.
"""

from __future__ import annotations

import pickle
import sqlite3
import struct
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# version, offset of level 0, capacity, rows, bytes a row, label offset, data offset, top level, entry row,
# links a row on upper levels, on level 0, M, 1/ln M, ef_construction
_HEADER = struct.Struct("<IQQQQQQiIQQQdQ")
_FIRST_CAPACITY = 100  # rows; files of a young index are not cut to its size
_BLOCK_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Header:
    capacity: int
    rows: int
    row_bytes: int
    label_offset: int
    top_level: int
    entry: int
    links: int
    links_level0: int


@dataclass(frozen=True, slots=True)
class _Collection:
    name: str
    segment: str
    rows: int


def check_version(path: Path) -> list[str]:
    """Return what is wrong with a version's directory, one line each; empty when it can be opened.

    Reads every link of the graph but not the vectors: about 0.3 s for 100,000 rows.
    """
    try:
        collections = _collections(path)
    except (sqlite3.Error, OSError) as error:
        return [f"chroma.sqlite3 is not readable: {error}"]
    if isinstance(collections, str):
        return [collections]
    return [
        f"{collection.name}: {fault}"
        for collection in collections
        for fault in _faults(path / collection.segment, rows=collection.rows)
    ]


def unflushed(path: Path) -> dict[str, int]:
    """Return, by collection, how many rows are only in Chroma's log and not in the index files yet.

    The version must be sound and closed.
    """
    collections = _collections(path)
    if isinstance(collections, str):
        return {}
    return {c.name: c.rows - _rows_in(path / c.segment) for c in collections}


def _rows_in(segment: Path) -> int:
    header = _header(segment) if (segment / "header.bin").is_file() else None
    return header.rows if isinstance(header, _Header) else 0


def _collections(path: Path) -> list[_Collection] | str:
    """Return the collections of chroma.sqlite3 with their rows, or what is wrong with the file."""
    file = path / "chroma.sqlite3"
    if not file.is_file():
        return "chroma.sqlite3 is missing"
    with closing(sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)) as connection:
        answer = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if answer != "ok":
            return f"chroma.sqlite3 is damaged: {answer}"
        rows = connection.execute(
            "SELECT c.name, v.id, (SELECT count(*) FROM embeddings AS e "
            "JOIN segments AS m ON m.id = e.segment_id WHERE m.collection = c.id AND m.scope = 'METADATA') "
            "FROM collections AS c JOIN segments AS v ON v.collection = c.id AND v.scope = 'VECTOR'"
        ).fetchall()
    return [_Collection(*row) for row in rows]


def _faults(segment: Path, *, rows: int) -> Iterator[str]:
    if not segment.is_dir():
        if rows > 1:  # a single row stays in the log: Chroma writes no index for it
            yield "the index files are missing"
        return
    header = _header(segment)
    if isinstance(header, str):
        yield header
        return
    if header.rows != rows and not (header.rows == 0 and rows <= 1):
        yield f"header.bin counts {header.rows} rows and chroma.sqlite3 {rows}"
        return
    sizes = (("data_level0.bin", header.row_bytes), ("length.bin", 4))
    wrong = [name for name, unit in sizes if not _sized(segment / name, unit=unit, rows=header.rows)]
    if wrong:
        yield f"{' and '.join(wrong)} do not have the size that header.bin gives"
        return
    labels = _level0(segment, header)
    if isinstance(labels, str):
        yield labels
    yield from _upper_levels(segment, header)
    if not isinstance(labels, str):
        yield from _names(segment, labels)


def _header(segment: Path) -> _Header | str:
    try:
        content = (segment / "header.bin").read_bytes()
    except OSError:
        return "header.bin is missing or not readable"
    if len(content) != _HEADER.size:
        return f"header.bin has {len(content)} bytes, not {_HEADER.size}"
    values = _HEADER.unpack(content)
    header = _Header(*(values[i] for i in (2, 3, 4, 5, 7, 8, 9, 10)))
    fits = (
        header.rows <= header.capacity
        and header.label_offset + 8 <= header.row_bytes
        and 4 + 4 * header.links_level0 <= header.row_bytes
        and (header.rows == 0 or header.entry < header.rows)
    )
    return header if fits else "header.bin contradicts itself"


def _sized(file: Path, *, unit: int, rows: int) -> bool:
    try:
        size = file.stat().st_size
    except OSError:
        return False
    return size == unit * rows or (rows <= _FIRST_CAPACITY and size == unit * _FIRST_CAPACITY)


def _level0(segment: Path, header: _Header) -> set[int] | str:
    """Return the labels of all rows, or what is wrong with their links."""
    labels: set[int] = set()
    step = max(1, _BLOCK_BYTES // header.row_bytes)
    with (segment / "data_level0.bin").open("rb") as file:
        for first in range(0, header.rows, step):
            n = min(step, header.rows - first)
            block = np.frombuffer(file.read(n * header.row_bytes), np.uint8)
            if len(block) != n * header.row_bytes:
                return "data_level0.bin ends early"
            table = block.reshape(n, header.row_bytes)
            links = np.ascontiguousarray(table[:, : 4 + 4 * header.links_level0]).view("<u4")
            used = links[:, 0] & 0xFFFF
            inside = np.arange(header.links_level0) < used[:, None]
            if (used > header.links_level0).any() or (links[:, 1:][inside] >= header.rows).any():
                return "data_level0.bin links to rows that do not exist"
            at = header.label_offset
            labels.update(np.ascontiguousarray(table[:, at : at + 8]).view("<u8").ravel().tolist())
    return labels if len(labels) == header.rows else "data_level0.bin repeats labels"


def _upper_levels(segment: Path, header: _Header) -> Iterator[str]:
    """Walk link_lists.bin: per row a byte count, then that many bytes of links."""
    fault = "link_lists.bin does not hold one list of links for every row"
    unit = 4 + 4 * header.links
    file = segment / "link_lists.bin"
    try:
        # A torn one can be a sparse file of terabytes: its size is judged before it is read.
        if file.stat().st_size > header.rows * (4 + unit * max(1, header.top_level)):
            yield fault
            return
        content = file.read_bytes()
    except OSError:
        yield "link_lists.bin is missing or not readable"
        return
    at = 0
    for _ in range(header.rows):
        if at + 4 > len(content):
            yield fault
            return
        (size,) = struct.unpack_from("<I", content, at)
        at += 4 + size
        if size % unit or at > len(content):
            yield fault
            return
    if at != len(content):
        yield fault


class _Plain(pickle.Unpickler):
    """Reads numbers, texts and containers only: a file of data has no business naming code."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"names {module}.{name}")


def _names(segment: Path, labels: set[int]) -> Iterator[str]:
    if not labels:
        return
    try:
        with (segment / "index_metadata.pickle").open("rb") as file:
            content = _Plain(file).load()
        known = set(content["label_to_id"])
        same = known == labels and len(content["id_to_label"]) == len(labels)
    except (OSError, pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError, IndexError) as error:
        yield f"index_metadata.pickle is not readable: {error}"
        return
    except (AttributeError, MemoryError, UnicodeDecodeError, OverflowError) as error:
        yield f"index_metadata.pickle is torn: {error}"
        return
    if not same:
        yield "index_metadata.pickle names other rows than data_level0.bin"
