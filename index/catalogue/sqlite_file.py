"""The SQLite file: connections, transactions, and SQLite's errors as ours."""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from index.catalogue.database import Reading
from index.catalogue.schema import SCHEMA_VERSION, metadata
from index.errors import IndexBusy, IndexDamaged, IndexMismatch, IndexMissing, PolyciteError, WorkError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from index.catalogue.database import Turn

FILE_NAME = "catalogue.sqlite3"
PAGE_BYTES = 8192  # five rows with a vector of 384 numbers fill a page; 4,096 would leave a quarter empty
BUSY_SECONDS = 10.0

# FULL: a commit is on the disk before it is acknowledged, so neither kill -9 nor a power cut takes it back
# (NORMAL survives the first only). It costs one fsync a transaction, far less than embedding one document.
_PRAGMAS = (
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16000",
    "PRAGMA secure_delete = FAST",
    "PRAGMA journal_size_limit = 67108864",
)


class SqliteFile:
    """Two pools over one file: readers that cannot write, and one writer that takes its lock at the start.

    Readers never wait for the writer (WAL).
    """

    shared = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.where = str(path.parent)
        self._reading = Reading()
        self._readers = _engine(path, begin="BEGIN", query_only=True)
        self._writer = _engine(path, begin="BEGIN IMMEDIATE", query_only=False)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See `Database.read`."""
        with translated(self.path):
            if self._reading.connection is not None:
                yield self._reading.connection
                return
            with self._readers.begin() as connection:
                self._reading.connection = connection
                try:
                    yield connection
                finally:
                    self._reading.connection = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a transaction: committed on leaving, rolled back on an exception."""
        with translated(self.path), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def turn(self, turn: Turn, *, purpose: str, wait: float) -> Iterator[_Owned]:
        """See `Database.turn`: the owner of the data directory has every turn."""
        yield _Owned()

    def prepare(self, *, create: bool) -> None:
        """See `Database.prepare`."""
        if create:
            self._make_private()
            self._set_file_options()
        with translated(self.path), self.read() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
        if version not in (0, SCHEMA_VERSION):
            raise IndexMismatch(
                f"the catalogue {self.path} has format {version} and this program writes {SCHEMA_VERSION}: "
                "delete it and run `rag index`, or use the version that wrote it"
            )
        if create:
            with self.write() as connection:
                metadata.create_all(connection)  # tables that came later, too
                connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version == 0:
            raise IndexMissing(f"nothing is indexed in {self.where}: run `rag index`")

    def faults(self) -> list[str]:
        """See `Database.faults`."""
        with self.read() as connection:
            answers = connection.exec_driver_sql("PRAGMA quick_check(10)").scalars().all()
        return [f"{self.path.name}: {answer}" for answer in answers if answer != "ok"]

    def close(self) -> None:
        """Close every connection; the last one folds the write-ahead log into the file."""
        self._readers.dispose()
        self._writer.dispose()

    def _make_private(self) -> None:
        """Make a new file that its owner alone may read; SQLite gives the log beside it the same rights."""
        # Where this is not possible, opening the file says why. One that is there is not opened here: closing it would
        # end the locks that this process may hold on it already.
        with suppress(OSError):
            os.close(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))

    def _set_file_options(self) -> None:
        """Page size (a new file's only) and WAL."""
        with translated(self.path):
            raw = self._writer.raw_connection()
            try:
                cursor = raw.cursor()
                cursor.execute(f"PRAGMA page_size = {PAGE_BYTES}")
                cursor.execute("PRAGMA journal_mode = WAL")
                cursor.close()
            finally:
                raw.close()


class _Owned:
    """A turn that nobody else can have."""

    def held(self) -> bool:
        return True


def _engine(path: Path, *, begin: str, query_only: bool) -> Engine:
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=8 if query_only else 1,
        max_overflow=-1 if query_only else 0,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver's own transactions begin late and leave out DDL; ours begin where we say.
        connection.isolation_level = None
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        if query_only:
            connection.execute("PRAGMA query_only = ON")

    @event.listens_for(engine, "begin")
    def _begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours, with the remedy and the cause kept."""
    try:
        yield
    except DBAPIError as error:
        raise _ours(error.orig, path) from error
    except sqlite3.Error as error:
        raise _ours(error, path) from error


def _ours(error: BaseException | None, path: Path) -> PolyciteError:
    name = getattr(error, "sqlite_errorname", "") or ""
    for kinds, ours, message in _MESSAGES:
        if name.startswith(kinds):
            return ours(message.format(path=path, folder=path.parent, error=error))
    return IndexMismatch(
        f"the catalogue {path} does not have the tables of this version ({error}): "
        "delete it and run `rag index`"
    )


_MESSAGES: tuple[tuple[tuple[str, ...], type[WorkError], str], ...] = (
    (
        ("SQLITE_CORRUPT", "SQLITE_NOTADB"),
        IndexDamaged,
        "the catalogue {path} is damaged ({error}): restore it from a backup, "
        "or delete it and run `rag index`",
    ),
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
        IndexBusy,
        "another process is writing to {path}: wait for it or stop it, then try again",
    ),
    (
        ("SQLITE_FULL",),
        WorkError,
        "the disk that holds {folder} is full: free some space and run the command again",
    ),
    (
        ("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM"),
        WorkError,
        "{path} cannot be opened for writing ({error}): make {folder} writable for this user, "
        "or set RAG_DATA_DIR to a folder that is",
    ),
    (
        ("SQLITE_IOERR",),
        WorkError,
        "reading or writing {path} failed ({error}): check the disk that holds it",
    ),
    (
        ("SQLITE_CONSTRAINT",),
        WorkError,
        "the catalogue {path} refused rows that contradict each other: {error}",
    ),
)
