"""Questions to one generation of the catalogue. Every call sees what is committed when it starts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import ColumnElement, bindparam, func, select

from index.catalogue import fulltext, listing, sql
from index.catalogue.listing import INFO_COLUMNS, Order
from index.catalogue.records import DocumentInfo, Space
from index.catalogue.schema import SPANS, chunks, clauses, documents, sentences
from index.errors import IndexDamaged
from index.types import Chunk, Clause, Document, Sentence, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select, Table

    from index.catalogue.database import Database


@dataclass(frozen=True, slots=True)
class Row:
    """Where a chunk or sentence lies: `number` only grows, so a larger one was stored later."""

    number: int
    id: str
    document_id: str


@dataclass(frozen=True, slots=True)
class Block:
    """Rows in order with their vectors, shape (len(rows), dimension), float32."""

    rows: list[Row]
    vectors: NDArray[np.float32]


class Reader:
    """Reads of one generation. Safe to share between threads."""

    def __init__(self, database: Database, generation: int, *, dimension: int) -> None:
        self.generation = generation
        self.dimension = dimension
        self._database = database

    # -- documents

    def document(self, document_id: str) -> Document | None:
        """Return a document with its text, None when it is not (or no longer) there."""
        with self._database.read() as connection:
            row = (
                connection.execute(self._of(documents).where(documents.c.id == document_id))
                .mappings()
                .first()
            )
        return None if row is None else _document(row)

    def documents(self, *, limit: int | None = None, offset: int = 0) -> list[DocumentInfo]:
        """Return documents without their texts, by folder and path. `limit` None: all."""
        query = (
            select(*INFO_COLUMNS)
            .where(documents.c.generation == self.generation)
            .order_by(documents.c.folder, documents.c.path)
            .limit(limit)
            .offset(offset)
        )
        with self._database.read() as connection:
            return [DocumentInfo(**row) for row in connection.execute(query).mappings()]

    def page(
        self,
        *,
        limit: int,
        offset: int = 0,
        language: str | None = None,
        folder: str | None = None,
        other_than: str | None = None,
        words: str | None = None,
        order: Order = "path",
    ) -> tuple[int, list[DocumentInfo]]:
        """Return how many documents pass all conditions, and a page of them.

        Args:
            language, folder: exactly this one; None: any.
            other_than: a folder to be left out; None: none is.
            words: every one of these words stands somewhere in the title or the path, whatever their case.
            order: see `Order`.
        """
        conditions = [documents.c.generation == self.generation]
        for column, value in ((documents.c.language, language), (documents.c.folder, folder)):
            if value is not None:
                conditions.append(column == value)
        if other_than is not None:
            conditions.append(documents.c.folder != other_than)
        with self._database.read() as connection:
            return listing.page(
                connection, conditions, limit=limit, offset=offset, words=words or "", order=order
            )

    def infos(self, ids: Collection[str]) -> dict[str, DocumentInfo]:
        """Return the documents of `ids` that are there, without their texts, by id."""
        query = select(*INFO_COLUMNS).where(
            documents.c.generation == self.generation, sql.among(documents.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query, sql.ids(ids)).mappings()
            return {row["id"]: DocumentInfo(**row) for row in rows}

    def document_ids(
        self, *, languages: Collection[str] | None = None, among: Collection[str] | None = None
    ) -> frozenset[str]:
        """Return the ids of documents in any of `languages` and among `among`; None: no condition."""
        query = select(documents.c.id).where(documents.c.generation == self.generation)
        if languages is not None:
            query = query.where(documents.c.language.in_(sorted(languages)))
        if among is not None:
            query = query.where(sql.among(documents.c.id))
        with self._database.read() as connection:
            return frozenset(connection.execute(query, sql.ids(among or ())).scalars())

    def parallel(self, document_id: str) -> list[tuple[str, str]]:
        """Return (document id, language) of the other documents with the same source URL, by language."""
        source = (
            select(documents.c.source_url)
            .where(documents.c.generation == self.generation, documents.c.id == document_id)
            .scalar_subquery()
        )
        query = (
            select(documents.c.id, documents.c.language)
            .where(
                documents.c.generation == self.generation,
                documents.c.source_url == source,
                documents.c.id != document_id,
            )
            .order_by(documents.c.language, documents.c.id)
        )
        with self._database.read() as connection:
            return [(row.id, row.language) for row in connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """Return how many documents, chunks and sentences there are."""
        query = select(
            func.count(),
            func.coalesce(func.sum(documents.c.chunks), 0),
            func.coalesce(func.sum(documents.c.sentences), 0),
        ).where(documents.c.generation == self.generation)
        with self._database.read() as connection:
            row = connection.execute(query).one()
        return {"documents": row[0], "chunks": row[1], "sentences": row[2]}

    # -- spans

    def chunks(self, ids: Sequence[str]) -> list[Chunk]:
        """Return the chunks of `ids` that are there, in the order given."""
        found = {row["id"]: _chunk(row) for row in self._spans(chunks, sql.among(chunks.c.id), ids)}
        return [found[key] for key in ids if key in found]

    def sentences(self, ids: Sequence[str]) -> list[Sentence]:
        """Return the sentences of `ids` that are there, in the order given."""
        found = {row["id"]: _sentence(row) for row in self._spans(sentences, sql.among(sentences.c.id), ids)}
        return [found[key] for key in ids if key in found]

    def sentences_of(self, document_id: str, first: int = 0, last: int | None = None) -> list[Sentence]:
        """Return a document's sentences `first`..`last`, both included, in order; None: to the end."""
        return [_sentence(row) for row in self._spans(sentences, _range(sentences, document_id, first, last))]

    def chunks_of(self, document_id: str) -> list[Chunk]:
        """Return a document's chunks in reading order."""
        return [_chunk(row) for row in self._spans(chunks, _range(chunks, document_id, 0, None))]

    def sentence_vectors(
        self, document_id: str, first: int = 0, last: int | None = None
    ) -> NDArray[np.float32]:
        """Return the vectors of `sentences_of` with the same arguments: (n, dimension), float32."""
        query = (
            select(sentences.c.vector)
            .where(sentences.c.generation == self.generation, _range(sentences, document_id, first, last))
            .order_by(sentences.c.ordinal)
        )
        with self._database.read() as connection:
            return self._matrix(connection.execute(query).scalars())

    def chunk_vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors (dimension,) of the chunks of `ids` that are there, by id."""
        query = select(chunks.c.id, chunks.c.vector).where(
            chunks.c.generation == self.generation, sql.among(chunks.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query, sql.ids(ids)).all()
        return {row.id: self._matrix([row.vector])[0] for row in rows}

    def chunks_holding(self, sentence_ids: Collection[str]) -> dict[str, list[str]]:
        """Return the ids of the chunks that hold each of the sentences that are there, by sentence id."""
        query = (
            select(sentences.c.id, chunks.c.id)
            .join_from(
                sentences,
                chunks,
                (chunks.c.generation == sentences.c.generation)
                & (chunks.c.document_id == sentences.c.document_id)
                & (chunks.c.first <= sentences.c.ordinal)
                & (chunks.c.last >= sentences.c.ordinal),
            )
            .where(sentences.c.generation == self.generation, sql.among(sentences.c.id))
        )
        held: dict[str, list[str]] = {}
        with self._database.read() as connection:
            for sentence, chunk in connection.execute(query, sql.ids(sentence_ids)):
                held.setdefault(sentence, []).append(chunk)
        return held

    def sentence_vectors_in(self, chunk_ids: Collection[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors (n, dimension) of the sentences of each chunk that is there, in order, by chunk id."""
        query = (
            select(chunks.c.id, sentences.c.vector)
            .join_from(
                chunks,
                sentences,
                (sentences.c.generation == chunks.c.generation)
                & (sentences.c.document_id == chunks.c.document_id)
                & (sentences.c.ordinal >= chunks.c.first)
                & (sentences.c.ordinal <= chunks.c.last),
            )
            .where(chunks.c.generation == self.generation, sql.among(chunks.c.id))
            .order_by(chunks.c.id, sentences.c.ordinal)
        )
        blobs: dict[str, list[bytes]] = {}
        with self._database.read() as connection:
            for chunk, vector in connection.execute(query, sql.ids(chunk_ids)):
                blobs.setdefault(chunk, []).append(vector)
        return {chunk: self._matrix(rows) for chunk, rows in blobs.items()}

    def clauses_of(
        self, document_id: str, first: int = 0, last: int | None = None
    ) -> tuple[list[Clause], NDArray[np.float32]]:
        """Return the clauses of a document's sentences `first`..`last` and their vectors (n, dimension)."""
        condition = (clauses.c.document_id == document_id) & (clauses.c.sentence >= first)
        if last is not None:
            condition &= clauses.c.sentence <= last
        query = (
            select(clauses.c.vector)
            .where(clauses.c.generation == self.generation, condition)
            .order_by(clauses.c.ordinal)
        )
        with self._database.read() as connection:  # one read: each clause has its vector
            rows = self._spans_in(connection, clauses, condition)
            vectors = self._matrix(connection.execute(query).scalars())
        return [_clause(row) for row in rows], vectors

    # -- rows and their vectors

    def last_row(self, space: Space) -> int:
        """Return the largest row number, 0 when there is none."""
        table = SPANS[space]
        query = select(func.max(table.c.row)).where(table.c.generation == self.generation)
        with self._database.read() as connection:
            return connection.execute(query).scalar() or 0

    def row_count(
        self, space: Space, *, upto: int | None = None, among: Collection[str] | None = None
    ) -> int:
        """Return how many rows there are with number <= `upto`, of the documents `among`; None: all."""
        table = SPANS[space]
        query = select(func.count()).select_from(table).where(table.c.generation == self.generation)
        if upto is not None:
            query = query.where(table.c.row <= upto)
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    def spans_in(self, space: Space, among: Collection[str]) -> int:
        """Return how many chunks or sentences the documents `among` have together."""
        counted = func.coalesce(func.sum(documents.c[space]), 0)
        query = select(counted).where(documents.c.generation == self.generation, sql.among(documents.c.id))
        with self._database.read() as connection:
            return int(connection.execute(query, sql.ids(among)).scalar_one())

    def row_numbers(self, space: Space, *, after: int) -> NDArray[np.int64]:
        """Return the numbers of the rows after `after`, ascending, int64."""
        table = SPANS[space]
        query = (
            select(table.c.row)
            .where(table.c.generation == self.generation, table.c.row > after)
            .order_by(table.c.row)
        )
        with self._database.read() as connection:
            return np.fromiter(connection.execute(query).scalars(), dtype=np.int64)

    def resolve(self, space: Space, ids: Collection[str]) -> dict[str, Row]:
        """Return the rows of `ids` that are there, by id."""
        table = SPANS[space]
        query = select(table.c.row, table.c.id, table.c.document_id).where(
            table.c.generation == self.generation, sql.among(table.c.id)
        )
        with self._database.read() as connection:
            return {row[1]: Row(row[0], row[1], row[2]) for row in connection.execute(query, sql.ids(ids))}

    def block_of(self, space: Space, among: Collection[str]) -> Block:
        """Return all rows of the documents `among` with their vectors."""
        table = SPANS[space]
        query = self._rows(table).where(sql.among(table.c.document_id)).order_by(table.c.row)
        with self._database.read() as connection:
            return self._block(connection, query, sql.ids(among))

    def blocks(
        self, space: Space, *, after: int = 0, upto: int | None = None, size: int = 4096
    ) -> Iterator[Block]:
        """Yield the rows after `after` (to `upto`, None: to the last) in order, at most `size` at a time.

        Each block is a read of its own: memory stays bounded and no long read holds back the write-ahead
        log. Rows removed meanwhile are left out.
        """
        table = SPANS[space]
        query = self._rows(table).where(table.c.row > bindparam("after")).order_by(table.c.row).limit(size)
        if upto is not None:
            query = query.where(table.c.row <= upto)
        while True:
            with self._database.read() as connection:
                block = self._block(connection, query, {"after": after})
            if not block.rows:
                return
            yield block
            after = block.rows[-1].number

    # -- full text

    def search_text(
        self,
        *,
        words: Sequence[str],
        keys: Sequence[str],
        key_weight: float,
        top_k: int,
        among: frozenset[str] | None = None,
    ) -> list[tuple[str, float]]:
        """See `fulltext.search`."""
        with self._database.read() as connection:
            return fulltext.of(connection).search(
                connection,
                self.generation,
                words=words,
                keys=keys,
                key_weight=key_weight,
                top_k=top_k,
                documents=among,
            )

    def frequencies(self, terms: Sequence[str], *, column: str) -> dict[str, int]:
        """Return in how many chunks each term occurs in `column` ("words" or "keys")."""
        with self._database.read() as connection:
            return fulltext.of(connection).frequencies(connection, self.generation, terms, column=column)

    # -- parts

    def _of(self, table: Table) -> Select[Any]:
        return select(table).where(table.c.generation == self.generation)

    def _rows(self, table: Table) -> Select[Any]:
        return select(table.c.row, table.c.id, table.c.document_id, table.c.vector).where(
            table.c.generation == self.generation
        )

    def _block(self, connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> Block:
        found = connection.execute(query, dict(values)).all()
        rows = [Row(row[0], row[1], row[2]) for row in found]
        return Block(rows, self._matrix(row[3] for row in found))

    def _matrix(self, blobs: Iterable[bytes]) -> NDArray[np.float32]:
        joined = b"".join(blobs)
        if len(joined) % (4 * self.dimension):
            raise IndexDamaged(
                f"stored vectors do not have {self.dimension} numbers: delete the catalogue, run `rag index`"
            )
        return np.frombuffer(joined, dtype="<f4").reshape(-1, self.dimension)

    def _spans(
        self, table: Table, condition: ColumnElement[bool], ids: Collection[str] = ()
    ) -> list[dict[Any, Any]]:
        """Return spans as mappings, each with its own piece of the document's text, in document order."""
        with self._database.read() as connection:
            return self._spans_in(connection, table, condition, ids)

    def _spans_in(
        self, connection: Connection, table: Table, condition: ColumnElement[bool], ids: Collection[str] = ()
    ) -> list[dict[Any, Any]]:
        columns = [column for column in table.c if column.name != "vector"]
        query = (
            select(*columns)
            .where(table.c.generation == self.generation, condition)
            .order_by(table.c.document_id, table.c.ordinal)
        )
        rows: list[dict[Any, Any]] = [dict(row) for row in connection.execute(query, sql.ids(ids)).mappings()]
        texts = self._texts(connection, {row["document_id"] for row in rows})
        for row in rows:
            row["text"] = texts[row["document_id"]][row["start"] : row["end"]]
        return rows

    def _texts(self, connection: Connection, ids: Collection[str]) -> dict[str, str]:
        query = select(documents.c.id, documents.c.text).where(
            documents.c.generation == self.generation, sql.among(documents.c.id)
        )
        return {row[0]: row[1] for row in connection.execute(query, sql.ids(ids))}


def _range(table: Table, document_id: str, first: int, last: int | None) -> ColumnElement[bool]:
    condition = (table.c.document_id == document_id) & (table.c.ordinal >= first)
    return condition if last is None else condition & (table.c.ordinal <= last)


def _document(row: Mapping[Any, Any]) -> Document:
    marked = tuple(Span(start, end, kind) for start, end, kind in json.loads(row["marked"]))
    names = ("id", "path", "title", "language", "source_url", "text", "media_type")
    return Document(**{name: row[name] for name in names}, marked=marked)


def _chunk(row: Mapping[Any, Any]) -> Chunk:
    names = ("id", "document_id", "ordinal", "start", "end", "text", "language", "first", "last")
    return Chunk(**{name: row[name] for name in names})


def _clause(row: Mapping[Any, Any]) -> Clause:
    names = ("id", "document_id", "ordinal", "sentence", "anchor", "start", "end", "text", "language")
    return Clause(**{name: row[name] for name in names})


def _sentence(row: Mapping[Any, Any]) -> Sentence:
    names = ("id", "document_id", "ordinal", "start", "end", "text", "language", "kind")
    return Sentence(**{name: row[name] for name in names})
