"""A catalogue in PostgreSQL: connections, transactions, turns, and its errors as ours."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool, QueuePool

from index.catalogue import sql
from index.catalogue.database import Reading
from index.catalogue.schema import SCHEMA_VERSION, metadata
from index.errors import (
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    IndexUnreachable,
    PolyciteError,
    SettingsError,
    WorkError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from index.catalogue.database import Turn

CONNECT_SECONDS = 5
BUSY_SECONDS = 10
"""How long a transaction waits for another that writes."""

CONNECTIONS = 8
"""Connections of one process that are kept open; twice as many while many questions come at once."""

# A connection that lay idle for so long is tried before it is used: its server may have been restarted since.
_FRESH_SECONDS = 0.25
_RETRY_SECONDS = 0.3
_LOOK_SECONDS = 0.1
_NUMBERS: dict[Turn, int] = {"writer": 1, "uploads": 2, "vectors": 3}
_TRANSACTION = 0  # the turn of a single transaction
_VERSION = "schema version"

# A process that dies frees its turn at once; one whose machine dies or leaves the network, after a minute.
_OPTIONS = (
    f"-c lock_timeout={BUSY_SECONDS}s -c jit=off -c client_min_messages=warning "
    "-c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
)


class PostgresServer:
    """One database (or one schema of it, where the URL names a `search_path`) that holds one catalogue.

    Args:
        url: `postgresql+psycopg://user:password@host:port/database`; its password is never shown.

    Raises:
        SettingsError: the URL is not one of PostgreSQL, or its driver is not installed.
    """

    shared = True

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self.where = _shown(self._url)
        self._engine = _engine(self._url, kept=CONNECTIONS)
        self._holders = _engine(self._url, kept=0)
        self._reading = Reading()
        self._readers = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._local = threading.local()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """See `Database.read`."""
        with self._translated():
            if self._reading.connection is not None:
                yield self._reading.connection
                return
            with self._connected(self._readers) as connection, connection.begin():
                self._reading.connection = connection
                try:
                    yield connection
                finally:
                    self._reading.connection = None

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """See `Database.write`. Within `turn("writer")` it is the turn's own connection.

        So whoever lost its turn, because the server was restarted, cannot write any more.
        """
        held: Connection | None = getattr(self._local, "writer", None)
        with self._translated():
            if held is not None and (held.closed or held.invalidated):
                raise IndexUnreachable(f"the connection to {self.where} was lost: run the command again")
            if held is not None:
                with held.begin():
                    self._lock_transaction(held)
                    yield held
                return
            with self._connected(self._engine) as connection, connection.begin():
                self._lock_transaction(connection)
                yield connection

    @contextmanager
    def turn(self, turn: Turn, *, purpose: str, wait: float) -> Iterator[_Session]:
        """See `Database.turn`: an advisory lock of a connection of its own, which ends with its process."""
        with self._translated():
            connection = self._holders.connect()
        try:
            with self._translated():
                self._take(connection, turn, purpose=purpose, wait=wait)
            if turn == "writer":
                self._local.writer = connection
            yield _Session(connection)
        finally:
            if turn == "writer":
                self._local.writer = None
            with suppress(DBAPIError):  # gone already
                connection.close()

    def prepare(self, *, create: bool) -> None:
        """See `Database.prepare`."""
        with self.read() as connection:
            there = connection.exec_driver_sql("SELECT to_regclass('generations') IS NOT NULL").scalar_one()
            version = sql.got(connection, _VERSION) if there else None
        if version not in (None, str(SCHEMA_VERSION)):
            raise IndexMismatch(
                f"the catalogue in {self.where} has format {version} and this program writes {SCHEMA_VERSION}: "
                "use another database and run `rag index`, or use the version that wrote it"
            )
        if create:
            with self.write() as connection:
                metadata.create_all(connection)
                sql.put(connection, _VERSION, str(SCHEMA_VERSION))
        elif version is None:
            raise IndexMissing(f"nothing is indexed in {self.where}: run `rag index`")

    def faults(self) -> list[str]:
        """See `Database.faults`: the server looks after its own files."""
        return []

    def close(self) -> None:
        """See `Database.close`."""
        self._engine.dispose()
        self._holders.dispose()

    # -- parts

    @contextmanager
    def _connected(self, engine: Engine) -> Iterator[Connection]:
        """A connection; where none can be had, once more after a moment: a server may just be starting."""
        try:
            connection = engine.connect()
        except DBAPIError:
            time.sleep(_RETRY_SECONDS)
            connection = engine.connect()
        with connection:
            yield connection

    def _lock_transaction(self, connection: Connection) -> None:
        """Wait until no other transaction writes."""
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_SPACE}, {_TRANSACTION})"))

    def _take(self, connection: Connection, turn: Turn, *, purpose: str, wait: float) -> None:
        who = f"polycite: {purpose}, pid {os.getpid()} on {socket.gethostname()}"[:63]
        take = text(f"SELECT pg_try_advisory_lock({_SPACE}, {_NUMBERS[turn]})")
        end = time.monotonic() + wait
        with connection.begin():
            connection.execute(text("SELECT set_config('application_name', :who, false)"), {"who": who})
        while True:
            with connection.begin():
                if connection.execute(take).scalar_one():
                    return
                holder = connection.execute(text(_HOLDER), {"number": _NUMBERS[turn]}).scalar()
            if time.monotonic() > end:
                raise IndexBusy(
                    f"the corpus in {self.where} is being changed by {holder or 'another process'}: "
                    "wait for it or stop it"
                )
            time.sleep(_LOOK_SECONDS)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise self._ours(error) from error
        except PoolTimeoutError as error:
            raise IndexBusy(f"every connection to {self.where} is in use: try again later") from error

    def _ours(self, error: DBAPIError) -> PolyciteError:
        state = getattr(error.orig, "sqlstate", None) or ""
        said = " ".join(str(error.orig).split())
        if self._url.password:
            said = said.replace(str(self._url.password), "***")
        if not state and any(part in said for part in _REFUSED):
            return IndexUnreachable(
                f"{self.where} does not let this program in ({said}): correct RAG_DATABASE_URL"
            )
        if error.connection_invalidated or not state or state.startswith(_AWAY):
            return IndexUnreachable(
                f"{self.where} does not answer ({said}): start it, or look at RAG_DATABASE_URL"
            )
        for kinds, ours, message in _MESSAGES:
            if state.startswith(kinds):
                return ours(message.format(where=self.where, said=said))
        return WorkError(f"{self.where} failed ({state}: {said}): its log says why")


class _Session:
    """A turn whose lock a connection holds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def held(self) -> bool:
        """Whether the connection is still the one that took the lock."""
        if self._connection.invalidated:
            return False
        try:
            with self._connection.begin():
                self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            return False
        return True


# Advisory locks are a database's; each schema of it may hold a catalogue.
_SPACE = "hashtext('polycite ' || current_schema())"
# A number as the view shows it has no sign.
_HOLDER = (
    "SELECT a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid "  # noqa: S608
    f"WHERE l.locktype = 'advisory' AND l.granted AND l.classid = CAST(CAST({_SPACE} AS bigint) & 4294967295 AS oid) "
    "AND l.objid = CAST(:number AS oid) LIMIT 1"
)

# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html
_AWAY = ("08", "57P", "53300")
# A connection that is refused has no code, only what the server said.
_REFUSED = ("authentication failed", "does not exist", "pg_hba.conf", "permission denied")
_MESSAGES: tuple[tuple[tuple[str, ...], type[PolyciteError], str], ...] = (
    (
        ("28", "3D", "42501"),
        SettingsError,
        "RAG_DATABASE_URL: {where} refuses ({said}): correct it or its rights",
    ),
    (("55P03", "40"), IndexBusy, "another process is writing to {where}: try again later"),
    (("53100", "53200"), WorkError, "the server of {where} has no room ({said}): make some and try again"),
    (("25006",), WorkError, "{where} cannot be written ({said}): name the server that takes changes"),
    (("XX001", "XX002"), IndexDamaged, "{where} is damaged ({said}): restore it from a backup"),
    (("23",), WorkError, "{where} refused rows that contradict each other: {said}"),
    (
        ("42P01", "42703"),
        IndexMismatch,
        "{where} does not have the tables of this version ({said}): run `rag index`",
    ),
)


def _parsed(url: str) -> URL:
    user, at, rest = url.partition("://")[2].partition("@")
    # Else a part of the password would be taken for the server's name, asked of DNS and shown.
    if at and ("@" in rest or any(sign in user for sign in "/?#")):
        raise SettingsError(
            "RAG_DATABASE_URL holds a user or password with signs that have a meaning in addresses: write @ as %40, "
            "/ as %2F, : as %3A, ? as %3F and # as %23"
        )
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise _no_url() from error
    if parsed.get_backend_name() != "postgresql" or not parsed.database:
        raise _no_url()
    return parsed.set(drivername="postgresql+psycopg")


def _no_url() -> SettingsError:
    # The value itself is not repeated: it may hold a password.
    return SettingsError(
        "RAG_DATABASE_URL is not postgresql+psycopg://user:password@host:port/database: correct or unset it"
    )


def _shown(url: URL) -> str:
    host = url.host or url.query.get("host") or "this machine"
    return f"the database {url.database} on {host}" + (f":{url.port}" if url.port else "")


def _engine(url: URL, *, kept: int) -> Engine:
    pool: dict[str, Any] = {"poolclass": NullPool}
    if kept:
        pool = {"poolclass": QueuePool, "pool_size": kept, "max_overflow": kept, "pool_timeout": BUSY_SECONDS}
    asked = url.query.get("options", "")
    options = " ".join([_OPTIONS, asked if isinstance(asked, str) else " ".join(asked)]).strip()
    try:
        engine = create_engine(
            url,
            **pool,
            hide_parameters=True,  # texts of documents have no business in a traceback
            connect_args={
                "connect_timeout": CONNECT_SECONDS,
                "application_name": "polycite",
                "options": options,
            },
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise SettingsError(
            "RAG_DATABASE_URL needs the driver of PostgreSQL: pip install 'polycite[postgres]'"
        ) from error
    event.listen(engine, "connect", _connected)
    if kept:
        event.listen(engine, "checkin", _left)
        event.listen(engine, "checkout", _tried)
    return engine


def _connected(connection: Any, record: Any) -> None:
    import psycopg.types.string  # optional: the extra `postgres`

    class Texts(psycopg.types.string.StrDumper):
        """PostgreSQL has no NUL in its texts: asked for, it becomes a character that is nowhere stored."""

        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd"))

    connection.adapters.register_dumper(str, Texts)
    record.info["used"] = time.monotonic()


def _left(_connection: Any, record: Any) -> None:
    record.info["used"] = time.monotonic()


def _tried(connection: Any, record: Any, _proxy: Any) -> None:
    """Give back a connection that its server has ended; the pool then makes a new one."""
    import psycopg  # optional, as above

    if time.monotonic() - record.info["used"] < _FRESH_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error as error:
        raise DisconnectionError("the server has ended this connection") from error
