"""The pointer: which version of the vectors is in service, and which catalogue rows it covers.

One small JSON file (or a note of the catalogue, see `home`), replaced atomically: before the replacement the old
version is in service, after it the new one, and there is nothing in between.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from index.errors import UsageError, WorkError
from index.vectors.protocol import check_name

FOLDER = "chroma"
_NAME = "current.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """The rows of one space in a version: `count` of them, all with numbers up to `upto`."""

    count: int
    upto: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointer:
    """The version in service. `store` is "files" or the URL of the server that holds it."""

    version: str
    store: str
    generation: int
    chunks: Coverage
    sentences: Coverage

    def coverage(self, space: Literal["chunks", "sentences"]) -> Coverage:
        """Return what the version holds of a space."""
        return self.chunks if space == "chunks" else self.sentences


def folder(data_dir: Path) -> Path:
    """Return the directory that holds the pointer and the embedded versions."""
    return data_dir / FOLDER


def read(data_dir: Path) -> Pointer | None:
    """Return the pointer; None when there is none or it is not readable: then the search is exact."""
    try:
        return loaded((folder(data_dir) / _NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return None


def loaded(text: str | None) -> Pointer | None:
    """Return the pointer of `dumped`; None when it is none."""
    try:
        values = json.loads(text or "")
        chunks, sentences = (Coverage(**values.pop(space)) for space in ("chunks", "sentences"))
        made = Pointer(**values, chunks=chunks, sentences=sentences)
        check_name(made.version)
    except (ValueError, TypeError, KeyError, AttributeError, UsageError):
        return None
    numbers = (made.generation, chunks.count, chunks.upto, sentences.count, sentences.upto)
    # What was torn or edited may be well-formed and still no pointer.
    return made if isinstance(made.store, str) and all(isinstance(n, int) for n in numbers) else None


def dumped(pointer: Pointer) -> str:
    """Return a pointer as text."""
    return json.dumps(asdict(pointer))


def signature(data_dir: Path) -> tuple[int, int] | None:
    """Return what changes whenever the pointer is replaced, for one stat; None when there is none."""
    try:
        status = (folder(data_dir) / _NAME).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def write(data_dir: Path, pointer: Pointer) -> None:
    """Put a version into service; when this returns the change is on the disk.

    Raises:
        WorkError: the directory cannot be written.
    """
    target = folder(data_dir) / _NAME
    draft = target.with_suffix(".tmp")
    try:
        with draft.open("w", encoding="utf-8") as file:
            file.write(dumped(pointer))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        raise WorkError(
            f"{target} cannot be written ({error.strerror}): check the disk and its rights"
        ) from error


def store_id(data_dir: Path) -> str:
    """Return the name by which a Chroma server tells this data directory from others; made on first use.

    Raises:
        WorkError: the directory cannot be written.
    """
    file = folder(data_dir) / "store-id"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not file.is_file():
            file.write_text(secrets.token_hex(8), "ascii")
        return file.read_text("ascii").strip()
    except OSError as error:
        raise WorkError(f"{file} cannot be used ({error.strerror}): check its rights") from error


def sync_directory(path: Path) -> None:
    """Make the entries of a directory durable (a rename is not, until its directory is)."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
