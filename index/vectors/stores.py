"""Which store a data directory uses."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from index.vectors import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from index.vectors.protocol import VectorStore


@contextmanager
def store_for(data_dir: Path, *, chroma_url: str | None) -> Iterator[VectorStore]:
    """The store of a data directory: its own files, or the server at `chroma_url`; closed at the end.

    Raises:
        WorkError: the server does not answer.
    """
    # chromadb takes 0.6 s to import; only what searches or writes vectors pays for it.
    store: VectorStore
    if chroma_url is None:
        from index.vectors.chroma_files import ChromaFiles

        store = ChromaFiles(pointer.folder(data_dir))
    else:
        from index.vectors.chroma_server import ChromaServer

        store = ChromaServer(chroma_url, owner=pointer.store_id(data_dir))
    try:
        yield store
    finally:
        store.close()
