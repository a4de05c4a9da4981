"""The catalogue: generations, and transactions that change one of them."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Self

from sqlalchemy import delete, insert, select, update

from index.catalogue import checks, fulltext, sql
from index.catalogue.jobs import Jobs
from index.catalogue.reader import CatalogueReader
from index.catalogue.records import FileRecord, Generation, Manifest
from index.catalogue.schema import (
    EARLIER_SPANS,
    chunks,
    documents,
    files,
    generations,
    places,
    recognised,
    sentences,
)
from index.catalogue.sqlite_file import FILE_NAME, SqliteFile
from index.catalogue.writer import Transaction, file_record
from index.errors import IndexDamaged, IndexMismatch, IndexMissing, WorkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Connection

    from index.catalogue.database import Database, Hold, Turn
    from index.settings import IndexSettings

_DELETE_AT_ONCE = 20_000  # rows; a retired generation goes in transactions of this size


@dataclass(frozen=True, slots=True)
class State:
    """What readers compare to see whether anything moved: the live generation and two counters.

    `vectors` is the note that says which vectors are in service, None where a file says so.
    """

    generation: int | None
    revision: int
    removals: int
    vectors: str | None = None


class Catalogue:
    """The truth about the index, in one SQLite file or a PostgreSQL database. Safe to share between threads.

    One process at a time may write (see `index.ownership` and `turn`); any number may read. Close it when done.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, data_dir: Path, *, create: bool = False) -> Self:
        """Open the catalogue of a data directory.

        Args:
            data_dir: the directory, made with mode 0700 when `create` is set.
            create: make what is missing; else a missing catalogue is an error.

        Raises:
            IndexMissing: there is none and `create` is not set.
            IndexMismatch: it was written by another version of this program.
            IndexDamaged: the file is not a catalogue.
            WorkError: the directory cannot be written or read.
        """
        path = data_dir / FILE_NAME
        if create:
            _make_directory(data_dir)
        elif not path.is_file():
            raise IndexMissing(f"nothing is indexed in {data_dir}: run `rag index`")
        return cls._prepared(SqliteFile(path), create=create)

    @classmethod
    def configured(cls, settings: IndexSettings, *, create: bool = False) -> Self:
        """Open the catalogue that the settings name: PostgreSQL's, else that of the data directory.

        Raises:
            SettingsError: the address of the database is none, or its server refuses it.
            IndexUnreachable: its server does not answer.
            IndexMissing, IndexMismatch, IndexDamaged, WorkError: as `open`.
        """
        if settings.database_url is None:
            return cls.open(settings.data_dir, create=create)
        from index.catalogue.postgres import PostgresServer  # its driver need not be installed

        if create:
            _make_directory(settings.data_dir)
        return cls._prepared(PostgresServer(settings.database_url.get_secret_value()), create=create)

    @classmethod
    def _prepared(cls, database: Database, *, create: bool) -> Self:
        try:
            database.prepare(create=create)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Close the file or the connections. The object is of no use afterwards."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def where(self) -> str:
        """The data directory, or the database and its server, as a person reads it; no secrets."""
        return self._database.where

    @property
    def shared(self) -> bool:
        """Whether other processes, on other machines too, may use it while this one writes."""
        return self._database.shared

    def turn(self, turn: Turn, *, purpose: str, wait: float) -> AbstractContextManager[Hold]:
        """Have a turn for the length of a block; see `Database.turn`."""
        return self._database.turn(turn, purpose=purpose, wait=wait)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Have all that this thread reads in the block be of one moment; it is one transaction, so not for long."""
        with self._database.read():
            yield

    # -- notes

    def note(self, key: str) -> str | None:
        """Return a small text that `change_note` left, None when there is none."""
        with self._database.read() as connection:
            return sql.got(connection, _NOTE + key)

    def change_note(self, key: str, change: Callable[[str | None], str]) -> str:
        """Replace a small text by what `change` makes of it (None: there was none); returns the new one.

        Nobody else changes it meanwhile; when this returns, it is on the disk. Where `change` raises, it stays.
        """
        with self._database.write() as connection:
            value = change(sql.got(connection, _NOTE + key))
            sql.put(connection, _NOTE + key, value)
        return value

    # -- generations

    def state(self) -> State:
        """Return the live generation (None: none) and the counters of changes and removals."""
        with self._database.read() as connection:
            live, revision, removals, vectors = connection.exec_driver_sql(_STATE).one()
        return State(live, int(revision or 0), int(removals or 0), vectors)

    def live(self) -> Generation | None:
        """Return the generation that questions see, None when nothing was ever indexed."""
        return next((g for g in self.generations() if g.state == "live"), None)

    def generations(self) -> list[Generation]:
        """Return the live generation and those being built, oldest first."""
        query = select(generations).where(generations.c.state != "retired").order_by(generations.c.id)
        with self._database.read() as connection:
            return [_generation(row) for row in connection.execute(query).mappings()]

    def begin(self, manifest: Manifest) -> Generation:
        """Return the generation to write for a manifest.

        That is the live one when it was made with an equal manifest; else the unfinished one with an
        equal manifest, to be completed; else a new one, live at once when there is no live one. Unfinished
        generations with other manifests are dropped.
        """
        with self._database.write() as connection:
            known = [_generation(row) for row in connection.execute(_VISIBLE).mappings()]
            equal = next((g for g in known if g.manifest == manifest), None)
            for other in known:
                if other.state == "building" and other is not equal:
                    _retire(connection, other.id)
            if equal is None:
                state: Literal["live", "building"] = "building"
                if not any(g.state == "live" for g in known):
                    state = "live"
                equal = _create(connection, manifest, state)
                _count(connection, removals=0)
        self.sweep()
        return equal

    def make_live(self, generation: Generation) -> None:
        """Put a finished generation in the place of the live one, at once for every reader.

        Raises:
            WorkError: the generation is not there any more.
        """
        with self._database.write() as connection:
            state = connection.execute(
                select(generations.c.state).where(generations.c.id == generation.id)
            ).scalar()
            if state not in ("live", "building"):
                raise WorkError(f"generation {generation.id} is gone: run `rag index` again")
            if state == "building":
                for row in connection.execute(_VISIBLE).mappings().all():
                    if row["state"] == "live":
                        _retire(connection, row["id"])
                connection.execute(
                    update(generations).where(generations.c.id == generation.id).values(state="live")
                )
                _count(connection, removals=1)
        self.sweep()

    def sweep(self) -> None:
        """Delete the rows of retired generations, in transactions of bounded size.

        They are invisible already: an interruption costs nothing, the next call goes on.
        """
        query = select(generations.c.id).where(generations.c.state == "retired")
        with self._database.read() as connection:
            retired = list(connection.execute(query).scalars())
        for generation in retired:
            self._erase(generation)

    def _erase(self, generation: int) -> None:
        with self._database.read() as connection:
            earlier = [EARLIER_SPANS] if sql.is_there(connection, EARLIER_SPANS) else []
        for table in (*earlier, sentences, chunks, recognised, places, files, documents):
            more = True
            while more:
                with self._database.write() as connection:
                    done = sql.delete_some(connection, table, generation, limit=_DELETE_AT_ONCE)
                more = done >= _DELETE_AT_ONCE
        with self._database.write() as connection:
            fulltext.of(connection).drop(connection, generation)
            connection.execute(delete(generations).where(generations.c.id == generation))
            for table in earlier:
                sql.drop_if_empty(connection, table)

    # -- changes

    @contextmanager
    def transaction(self, generation: Generation) -> Iterator[Transaction]:
        """Change a generation: all of it is committed on leaving, none of it on an exception.

        When this returns, what was done is on the disk.

        Raises:
            WorkError: the disk is full or not writable, or the generation is gone.
        """
        with self._database.write() as connection:
            known = connection.execute(
                select(generations.c.state).where(generations.c.id == generation.id)
            ).scalar()
            if known not in ("live", "building"):
                raise WorkError(f"generation {generation.id} is gone: run `rag index` again")
            changes = Transaction(connection, generation)
            yield changes
            if changes.changes:
                _count(connection, removals=changes.removals)

    # -- files

    def files(self, generation: Generation) -> list[FileRecord]:
        """Return every file that was looked at, skipped ones included, by folder and path."""
        query = (
            select(files).where(files.c.generation == generation.id).order_by(files.c.folder, files.c.path)
        )
        with self._database.read() as connection:
            return [file_record(row) for row in connection.execute(query).mappings()]

    def files_of(self, generation: Generation, document_id: str) -> list[FileRecord]:
        """Return the files that hold a document: its owner first, then its duplicates by folder and path."""
        query = (
            select(files)
            .where(files.c.generation == generation.id, files.c.document_id == document_id)
            .order_by(files.c.skip_reason.is_not(None), files.c.folder, files.c.path)
        )
        with self._database.read() as connection:
            return [file_record(row) for row in connection.execute(query).mappings()]

    # -- settings

    def folders(self) -> list[str]:
        """Return the folders that are indexed, as `set_folders` left them."""
        with self._database.read() as connection:
            value = sql.got(connection, "folders")
        return [] if value is None else list(json.loads(value))

    def set_folders(self, folders: list[str]) -> None:
        """Remember the folders that are indexed."""
        with self._database.write() as connection:
            sql.put(connection, "folders", json.dumps(folders, ensure_ascii=False))

    # -- uploads

    @property
    def jobs(self) -> Jobs:
        """The upload jobs. For writers: a catalogue that none has opened lately may lack their tables."""
        return Jobs(self._database)

    # -- reading

    def reader(self, generation: Generation) -> CatalogueReader:
        """Return the reads of a generation."""
        return CatalogueReader(self._database, generation.id, dimension=generation.manifest.dimension)

    def corpus_fingerprint(self, generation: Generation) -> str:
        """Return SHA-256 (hex) over the sorted document ids: equal corpora have equal fingerprints."""
        ids = sorted(self.reader(generation).document_ids())
        return hashlib.sha256("\n".join(ids).encode()).hexdigest()

    def check(self) -> list[str]:
        """Return what is wrong with the file, one line each with its remedy; empty when it is sound."""
        return checks.check(self._database, self.generations())


# Asked before every search: one statement, as text, takes a third of the time of two built ones.
_STATE = (
    "SELECT (SELECT id FROM generations WHERE state = 'live'), "
    "(SELECT value FROM meta WHERE key = 'revision'), (SELECT value FROM meta WHERE key = 'removals'), "
    "(SELECT value FROM meta WHERE key = 'note vectors')"
)
_NOTE = "note "
_VISIBLE = select(generations).where(generations.c.state != "retired")


def _make_directory(data_dir: Path) -> None:
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise WorkError(
            f"the data directory {data_dir} cannot be made ({error.strerror}): "
            "set RAG_DATA_DIR to a folder that can be written"
        ) from error


def _generation(row: object) -> Generation:
    values = dict(row)  # type: ignore[call-overload]
    try:
        manifest = Manifest.from_json(values.pop("manifest"))
    except (ValueError, TypeError) as error:
        raise IndexMismatch(
            "the stored manifest is of another version: delete the catalogue and run `rag index`"
        ) from error
    return Generation(manifest=manifest, **values)


def _create(connection: Connection, manifest: Manifest, state: Literal["live", "building"]) -> Generation:
    created = datetime.now(UTC).isoformat(timespec="seconds")
    values = {"manifest": manifest.to_json(), "state": state, "created": created}
    key = connection.execute(insert(generations).values(values)).inserted_primary_key
    if key is None:
        raise IndexDamaged("the catalogue gave no number to a new generation: delete it and run `rag index`")
    fulltext.of(connection).create(connection, key[0])
    return Generation(id=key[0], manifest=manifest, state=state, created=created)


def _retire(connection: Connection, generation: int) -> None:
    connection.execute(update(generations).where(generations.c.id == generation).values(state="retired"))


def _count(connection: Connection, *, removals: int) -> None:
    for key, step in (("revision", 1), ("removals", removals)):
        sql.put(connection, key, str(int(sql.got(connection, key) or 0) + step))
