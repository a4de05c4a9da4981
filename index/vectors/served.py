"""The version in service: opened once, shared by searches, closed after the last of them."""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from index.catalogue.records import SPACES
from index.errors import IndexUnreachable, WorkError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from index.vectors.home import Home
    from index.vectors.pointer import Pointer
    from index.vectors.protocol import VectorIndex

logger = logging.getLogger(__name__)


class Served:
    """An opened version with the number of searches that are using it."""

    def __init__(self, where: Pointer, index: VectorIndex, *, home: Home) -> None:
        self.pointer = where
        self._index = index
        self._home = home
        self._lock = threading.Lock()
        self._users = 0
        self._retired = False

    @contextmanager
    def borrow(self) -> Iterator[VectorIndex | None]:
        """The index, which stays open until the block ends; None when it is closed already."""
        with self._lock:
            index = None if self._retired else self._index
            self._users += index is not None
        try:
            yield index
        finally:
            if index is not None:
                self._give_back()

    def retire(self) -> None:
        """Close it as soon as nobody is using it; no search begins on it from now on."""
        with self._lock:
            close = not self._retired and self._users == 0
            self._retired = True
        if close:
            self._close()

    def _give_back(self) -> None:
        with self._lock:
            self._users -= 1
            close = self._retired and self._users == 0
        if close:
            self._close()

    def _close(self) -> None:
        """Close the version and, when another one is in service, delete it: nobody opens it again.

        One that other processes use too is deleted by the process that built its successor.
        """
        self._index.close()
        if self._home.shared:
            return
        current = self._home.pointer()
        if current is None or current.version == self.pointer.version:
            return
        try:
            with self._home.store() as store:
                store.drop(self.pointer.version)
        except WorkError as error:
            logger.warning("the old vectors stay until the next `rag index`: %s", error)


def open_served(home: Home, *, generation: int) -> Served | None:
    """Open the version in service.

    Returns None when there is none for this generation and store, or when it cannot be used; the reason
    is logged, and the catalogue's own vectors answer in its place.

    Raises:
        IndexUnreachable: the server that holds it does not answer; it will, and then it is opened.
    """
    where = home.pointer()
    if where is None or where.generation != generation or where.store != home.store_name:
        return None
    try:
        with home.store() as store:
            index = store.open(where.version)
    except IndexUnreachable:
        raise
    except WorkError as error:
        logger.warning("searching without Chroma until it is rebuilt by `rag index`: %s", error)
        return None
    short = [space for space in SPACES if index.count(space) != where.coverage(space).count]
    if short:
        index.close()
        logger.warning(
            "searching without Chroma until it is rebuilt by `rag index`: version %s has lost %s",
            where.version,
            " and ".join(short),
        )
        return None
    return Served(where, index, home=home)
