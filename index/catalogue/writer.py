"""Changes to one generation, all inside one transaction."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import bindparam, delete, insert, select, update

from index.catalogue import fulltext, jobs, sql
from index.catalogue.records import Entry, FileRecord, Generation
from index.catalogue.schema import chunks, documents, doomed_files, files, places, recognised, sentences
from index.errors import SkipReason, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from sqlalchemy import ColumnElement, Connection, Table

    from index.types import Chunk, Sentence

UNIT_TOLERANCE = 1e-3
"""How far a vector's length may be from 1: rounding of bfloat16 models stays below it."""

# Asked for every file that is added: a statement that is there already need not be made.
_FILE = select(files).where(
    files.c.generation == bindparam("of"),
    files.c.folder == bindparam("folder"),
    files.c.path == bindparam("path"),
)
_OWNER = select(files).where(
    files.c.generation == bindparam("of"),
    files.c.document_id == bindparam("document"),
    files.c.skip_reason.is_(None),
)
_FILE_FACTS = [column.name for column in files.columns if not column.primary_key]


class Transaction:
    """Add, skip and remove files and documents of a generation; nothing is visible before it ends.

    Made by `Catalogue.transaction`. `changes` counts what was done; `removals` tells readers to look for
    deleted rows.
    """

    def __init__(self, connection: Connection, generation: Generation) -> None:
        self._connection = connection
        self._generation = generation
        self.changes = 0
        self.removals = 0

    def add(self, entry: Entry, *, file: FileRecord) -> bool:
        """Store a document and note that `file` holds it, in place of what that file held before.

        Returns:
            True when the document was added; False when the generation has it already: then `file` is
            noted as its duplicate, or, when it is the same file, left as its owner.

        Raises:
            UsageError: the entry's parts do not fit each other or the manifest.
        """
        _check(entry, dimension=self._generation.manifest.dimension)
        document_id = entry.document.id
        owner = self._owner(document_id)
        before = self._file(file.folder, file.path)
        if owner is not None and (owner.folder, owner.path) == (file.folder, file.path):
            self._put_file(replace(file, document_id=document_id, skip_reason=None))
            return False
        if before is not None:
            self._release(before)
        if owner is not None:
            detail = file.detail or f"has the same content as {owner.path}"
            self._put_file(
                replace(file, document_id=document_id, skip_reason=SkipReason.DUPLICATE.value, detail=detail)
            )
            return False
        self._put_document(entry, folder=file.folder)
        self._put_file(replace(file, document_id=document_id, skip_reason=None))
        return True

    def skip(self, file: FileRecord) -> None:
        """Note a file that is not in the index, with its reason; the document it held before goes.

        Raises:
            UsageError: the record has no reason.
        """
        if file.skip_reason is None:
            raise UsageError(f"{file.path}: a skipped file needs a reason")
        before = self._file(file.folder, file.path)
        if before is not None:
            self._release(before)
        self._put_file(replace(file, document_id=None))

    def remove_file(self, folder: str, path: str) -> bool:
        """Forget a file. Its document goes with it unless a duplicate is left, which then owns it.

        Returns False when the file is not known.
        """
        before = self._file(folder, path)
        if before is None:
            return False
        self._release(before)
        self._connection.execute(delete(files).where(*self._at(folder, path)))
        self.changes += 1
        return True

    def remove_document(self, document_id: str) -> bool:
        """Remove a document and forget every file that holds it. Returns False when it is not known."""
        if self._owner(document_id) is None:
            return False
        self._delete_document(document_id)
        self._connection.execute(
            delete(files).where(files.c.generation == self._generation.id, files.c.document_id == document_id)
        )
        return True

    # -- uploads

    def doom_file(self, folder: str, path: str) -> None:
        """Note that a file is to be removed from the disk: until then it is not indexed again."""
        statement = sql.upsert(self._connection, doomed_files).values(folder=folder, path=path)
        self._connection.execute(statement.on_conflict_do_nothing())

    def files_of(self, document_id: str) -> list[FileRecord]:
        """Return the files that hold a document, what this transaction did included: its owner first."""
        query = (
            select(files)
            .where(files.c.generation == self._generation.id, files.c.document_id == document_id)
            .order_by(files.c.skip_reason.is_not(None), files.c.folder, files.c.path)
        )
        return [file_record(row) for row in self._connection.execute(query).mappings()]

    def set_job_file(self, job_id: str, ordinal: int, **values: object) -> None:
        """Change a file of an upload job together with what it became; see `Jobs.set_file`."""
        jobs.set_file(self._connection, job_id, ordinal, **values)

    # -- files

    @cached_property
    def _put(self) -> Any:
        """Return the statement that writes a file's row; the values come apart, so that it is made once."""
        put = sql.upsert(self._connection, files)
        keys = [files.c.generation, files.c.folder, files.c.path]
        given = put.excluded
        return put.on_conflict_do_update(
            index_elements=keys, set_={name: given[name] for name in _FILE_FACTS}
        )

    def _at(self, folder: str, path: str) -> tuple[ColumnElement[bool], ...]:
        return (files.c.generation == self._generation.id, files.c.folder == folder, files.c.path == path)

    def _file(self, folder: str, path: str) -> FileRecord | None:
        key = {"of": self._generation.id, "folder": folder, "path": path}
        row = self._connection.execute(_FILE, key).mappings().first()
        return None if row is None else file_record(row)

    def _owner(self, document_id: str) -> FileRecord | None:
        row = self._connection.execute(_OWNER, {"of": self._generation.id, "document": document_id})
        found = row.mappings().first()
        return None if found is None else file_record(found)

    def _put_file(self, file: FileRecord) -> None:
        self._connection.execute(self._put, {"generation": self._generation.id, **asdict(file)})
        self.changes += 1

    def _release(self, file: FileRecord) -> None:
        """Part a file from the document it owns: a duplicate inherits it, else it is deleted."""
        if file.document_id is None or file.skip_reason is not None:
            return
        heir = (
            self._connection.execute(
                select(files)
                .where(
                    files.c.generation == self._generation.id,
                    files.c.document_id == file.document_id,
                    files.c.skip_reason == SkipReason.DUPLICATE.value,
                )
                .order_by(files.c.folder, files.c.path)
                .limit(1)
            )
            .mappings()
            .first()
        )
        if heir is None:
            self._delete_document(file.document_id)
            return
        # The one that goes gives up its claim first, so that a document never has two owners.
        self._put_file(replace(file, document_id=None))
        self._put_file(replace(file_record(heir), skip_reason=None, detail=""))
        self._connection.execute(
            update(documents)
            .where(documents.c.generation == self._generation.id, documents.c.id == file.document_id)
            .values(folder=heir["folder"], path=heir["path"])
        )

    # -- documents

    def _put_document(self, entry: Entry, *, folder: str) -> None:
        document = entry.document
        self._connection.execute(
            insert(documents),
            {
                "generation": self._generation.id,
                "id": document.id,
                "folder": folder,
                "path": document.path,
                "title": document.title,
                "language": document.language,
                "source_url": document.source_url,
                "media_type": document.media_type,
                "characters": len(document.text),
                "chunks": len(entry.chunks),
                "sentences": len(entry.sentences),
                "added_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "marked": json.dumps([[span.start, span.end, span.kind] for span in document.marked]),
                "text": document.text,
            },
        )
        own = {"generation": self._generation.id, "document_id": document.id}
        located = [{**own, **asdict(place)} for place in document.places]
        if located:
            columns = places.c.keys()
            self._connection.execute(
                insert(places), [{name: row[name] for name in columns} for row in located]
            )
        pictured = [{**own, "start": place.start} for place in document.places if place.recognised]
        if pictured:
            self._connection.execute(insert(recognised), pictured)
        first = self._put_spans(chunks, entry.chunks, entry.chunk_vectors)
        self._put_spans(sentences, entry.sentences, entry.sentence_vectors)
        rows = ((first + i, words, keys) for i, (words, keys) in enumerate(entry.tokens))
        fulltext.of(self._connection).insert(self._connection, self._generation.id, rows)
        self.changes += 1

    def _put_spans(
        self,
        table: Table,
        spans: Sequence[Chunk] | Sequence[Sentence],
        vectors: NDArray[np.float32],
    ) -> int:
        """Insert spans with their vectors; returns the row of the first, the others follow it."""
        first = sql.new_rows(self._connection, table, len(spans))
        own = {"chunks": ("first", "last"), "sentences": ("kind",)}[table.name]
        columns = ("id", "document_id", "ordinal", "start", "end", "language", *own)
        blobs = np.ascontiguousarray(vectors, dtype="<f4")
        values = [
            {
                "row": first + i,
                "generation": self._generation.id,
                **{name: getattr(span, name) for name in columns},
                "vector": blobs[i].tobytes(),
            }
            for i, span in enumerate(spans)
        ]
        if values:
            self._connection.execute(insert(table), values)
        return first

    def _delete_document(self, document_id: str) -> None:
        fulltext.of(self._connection).delete_document(self._connection, self._generation.id, document_id)
        for table in (chunks, sentences, recognised, places):
            self._connection.execute(
                delete(table).where(
                    table.c.generation == self._generation.id, table.c.document_id == document_id
                )
            )
        self._connection.execute(
            delete(documents).where(
                documents.c.generation == self._generation.id, documents.c.id == document_id
            )
        )
        self.changes += 1
        self.removals += 1


def file_record(row: object) -> FileRecord:
    """Return a row of `files` as a record."""
    values = dict(row)  # type: ignore[call-overload]
    del values["generation"]
    return FileRecord(**values)


def _check(entry: Entry, *, dimension: int) -> None:
    """Raise UsageError unless the parts of an entry belong together."""
    document = entry.document
    if len(entry.tokens) != len(entry.chunks):
        raise UsageError(f"{document.path}: {len(entry.tokens)} token pairs for {len(entry.chunks)} chunks")
    parts = (
        ("chunks", entry.chunks, entry.chunk_vectors),
        ("sentences", entry.sentences, entry.sentence_vectors),
    )
    for name, spans, vectors in parts:
        _check_vectors(vectors, (len(spans), dimension), what=f"{document.path}: vectors of {name}")
        for span in spans:
            if span.document_id != document.id or document.text[span.start : span.end] != span.text:
                raise UsageError(f"{document.path}: {span.id} is not a span of document {document.id}")


def _check_vectors(vectors: NDArray[np.float32], shape: tuple[int, int], *, what: str) -> None:
    if vectors.shape != shape:
        raise UsageError(f"{what} must have the shape {shape}, not {vectors.shape}")
    lengths = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64) if shape[0] else np.ones(0)
    # Written so that NaN, which compares false with everything, is refused too.
    if not np.all(np.abs(lengths - 1.0) <= 2 * UNIT_TOLERANCE):
        raise UsageError(f"{what} must be finite and of length 1")
