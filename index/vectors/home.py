"""Where the vectors of a corpus are kept, and which of them are in service.

With a catalogue that processes share, and a Chroma server beside it, the pointer lies in the catalogue, so that all of
them turn to a new version with the next question. Otherwise it lies in the data directory, beside what it points to or
beside the only process that uses it.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.vectors import pointer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from index.catalogue import Catalogue
    from index.catalogue.catalogue import State
    from index.vectors.pointer import Pointer
    from index.vectors.protocol import VectorStore

_NOTE = "vectors"  # what `State.vectors` shows
_OWNER = "store id"


@dataclass(frozen=True, slots=True)
class Home:
    """The vectors of one corpus. `catalogue` is open as long as this is used; None: one that no one shares."""

    data_dir: Path
    chroma_url: str | None = None
    catalogue: Catalogue | None = None

    @property
    def shared(self) -> bool:
        """Whether other processes use the same vectors."""
        return self._noted is not None

    @property
    def store_name(self) -> str:
        """What a pointer calls the store."""
        return self.chroma_url or "files"

    def pointer(self) -> Pointer | None:
        """Return the pointer; None when there is none or it is not readable: then the search is exact."""
        catalogue = self._noted
        return pointer.read(self.data_dir) if catalogue is None else pointer.loaded(catalogue.note(_NOTE))

    def point(self, made: Pointer) -> None:
        """Put a version into service; when this returns the change is on the disk.

        Raises:
            WorkError: it cannot be written.
        """
        catalogue = self._noted
        if catalogue is None:
            pointer.write(self.data_dir, made)
        else:
            catalogue.change_note(_NOTE, lambda _: pointer.dumped(made))

    def signature(self, state: State) -> object:
        """Return what changes whenever another version comes into service; `state` is the catalogue's, just read."""
        return pointer.signature(self.data_dir) if self._noted is None else state.vectors

    @contextmanager
    def store(self) -> Iterator[VectorStore]:
        """The store: files of the data directory, or the server; closed at the end.

        Raises:
            IndexUnreachable: the server does not answer.
        """
        # chromadb takes 0.6 s to import; only what searches or writes vectors pays for it.
        store: VectorStore
        if self.chroma_url is None:
            from index.vectors.chroma_files import ChromaFiles  # chromadb

            store = ChromaFiles(pointer.folder(self.data_dir))
        else:
            from index.vectors.chroma_server import ChromaServer  # chromadb

            store = ChromaServer(self.chroma_url, owner=self._owner())
        try:
            yield store
        finally:
            store.close()

    def check(self) -> None:
        """Ask the server whether it is there; files need not be asked.

        Raises:
            IndexUnreachable: it does not answer.
        """
        if self.chroma_url is not None:
            from index.vectors.chroma_server import ask  # chromadb, as for `store`

            ask(self.chroma_url)

    @property
    def _noted(self) -> Catalogue | None:
        """The catalogue that holds the pointer, if one does."""
        if self.chroma_url is None or self.catalogue is None or not self.catalogue.shared:
            return None
        return self.catalogue

    def _owner(self) -> str:
        catalogue = self._noted
        if catalogue is None:
            return pointer.store_id(self.data_dir)
        known = catalogue.note(_OWNER)
        return known or catalogue.change_note(_OWNER, lambda before: before or secrets.token_hex(8))
