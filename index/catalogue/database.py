"""What a catalogue asks of its database; `sqlite_file` and `postgres` are the two there are."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

Turn = Literal["writer", "uploads", "vectors"]
"""What one process at a time may do: change the corpus; work off the uploads; build vectors for search."""


class Reading(threading.local):
    """The connection that a thread is reading with; None: with none."""

    connection: Connection | None = None


class Hold(Protocol):
    """A turn that this process has."""

    def held(self) -> bool:
        """Whether it still has it: a server that was restarted knows of no turns."""
        ...


class Database(Protocol):
    """Transactions over one catalogue. Safe to share between threads."""

    shared: bool
    """Whether processes that have no data directory in common use it."""

    where: str
    """The data directory, or the server and database, as a person reads it; no secrets."""

    def read(self) -> AbstractContextManager[Connection]:
        """A connection whose reads all see the same committed state.

        Within another `read` of the same thread it is that one's: all that is read within sees one state.
        """
        ...

    def write(self) -> AbstractContextManager[Connection]:
        """A connection in a transaction: committed on leaving, rolled back on an exception; one at a time."""
        ...

    def turn(self, turn: Turn, *, purpose: str, wait: float) -> AbstractContextManager[Hold]:
        """Have a turn for the length of a block.

        Where one process owns the whole data directory (see `index.ownership`) there is nothing to wait for.

        Args:
            turn: which.
            purpose: the command, as a person would type it.
            wait: seconds to wait for another process that has it.

        Raises:
            IndexBusy: another process still has it.
        """
        ...

    def prepare(self, *, create: bool) -> None:
        """Check that it holds a catalogue of this version; make one where there is none and `create` is set.

        Raises:
            IndexMissing: there is none.
            IndexMismatch: it was written by another version of this program.
        """
        ...

    def faults(self) -> list[str]:
        """What the database itself finds wrong with its files."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
