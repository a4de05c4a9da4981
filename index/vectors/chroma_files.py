"""Versions in Chroma's embedded form: a directory each, written once, checked before it is opened."""

from __future__ import annotations

import shutil
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

import chromadb
import numpy as np

from index.errors import IndexDamaged, IndexMissing, WorkError
from index.vectors import health
from index.vectors.chroma_index import ChromaIndex, close_client, fill, open_index, settings, translated
from index.vectors.protocol import check_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from chromadb.api import ClientAPI
    from numpy.typing import NDArray

    from index.catalogue import Space

MAX_FLUSH_ROWS = 100_000
"""Chroma's index files are written after so many rows at the latest; its own 1,000 takes twice the time."""


class ChromaFiles:
    """Versions below a folder. Use another process for writing than for answering: Chroma's calls that write
    hold the interpreter for as long as they take."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, version: str) -> Path:
        """Return the directory of a version, whether or not it is there."""
        check_name(version)
        return self._folder / version

    def write(
        self,
        version: str,
        space: Space,
        batches: Iterable[tuple[Sequence[str], NDArray[np.float32]]],
        *,
        dimension: int,
        rows: int,
    ) -> int:
        """See `VectorStore.write`."""
        path = self.path(version)
        client = _client(path, create=True)
        # With the very number of rows the last batch writes the files: opening the version then reads only.
        flush_rows = min(max(2, rows or MAX_FLUSH_ROWS), MAX_FLUSH_ROWS)
        try:
            written = fill(
                client, space, batches, dimension=dimension, flush_rows=flush_rows, where=str(path)
            )
        finally:
            close_client(client)
        if health.unflushed(path).get(space, 0) > 1:
            _flush(path, space, dimension=dimension)
        return written

    def open(self, version: str) -> ChromaIndex:
        """See `VectorStore.open`."""
        path = self.path(version)
        if not path.is_dir():
            raise IndexMissing(f"there is no vector version {path}: run `rag index`")
        faults = health.check_version(path)
        if faults:
            raise IndexDamaged(f"the vectors in {path} are damaged ({faults[0]}): run `rag index`")
        return open_index(_client(path, create=False), lambda space: space, version=version, where=str(path))

    def versions(self) -> list[str]:
        """See `VectorStore.versions`."""
        if not self._folder.is_dir():
            return []
        return sorted(entry.name for entry in self._folder.iterdir() if entry.is_dir())

    def drop(self, version: str) -> None:
        """See `VectorStore.drop`."""
        path = self.path(version)
        try:
            while path.is_dir():
                # A builder and a search that let go of the version may both be deleting it.
                with suppress(FileNotFoundError):
                    shutil.rmtree(path)
        except OSError as error:
            raise WorkError(f"{path} cannot be deleted ({error.strerror}): check its rights") from error

    def close(self) -> None:
        """See `VectorStore.close`: nothing is held between calls."""


def _client(path: Path, *, create: bool) -> ClientAPI:
    if create:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise WorkError(
                f"{path} cannot be made ({error.strerror}): check the disk and its rights"
            ) from error
    with translated(str(path)):
        return chromadb.PersistentClient(path=str(path), settings=settings())


def _flush(path: Path, space: Space, *, dimension: int) -> None:
    """Make Chroma move the rest of its log into the index files, so that opening the version writes nothing.

    It does so when a query finds more rows in the log than `sync_threshold`, which a client reads on opening.
    """
    where = str(path)
    client = _client(path, create=False)
    try:
        with translated(where), warnings.catch_warnings():
            # The collection has no embedding function; Chroma calls that "legacy" and warns.
            warnings.simplefilter("ignore", DeprecationWarning)
            collection = client.get_collection(space, embedding_function=None)
            collection.modify(configuration={"hnsw": {"sync_threshold": 2, "batch_size": 2}})
    finally:
        close_client(client)
    client = _client(path, create=False)
    try:
        with translated(where):
            collection = client.get_collection(space, embedding_function=None)
            collection.query(query_embeddings=np.ones((1, dimension), np.float32), n_results=1, include=[])
    finally:
        close_client(client)
