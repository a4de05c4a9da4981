"""Questions to one generation of the catalogue. Every call sees what is committed when it starts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, bindparam, func, select

from index.catalogue import fulltext, listing, passages, sql
from index.catalogue.listing import INFO_COLUMNS, Order
from index.catalogue.passages import StoredChunk
from index.catalogue.records import DocumentInfo
from index.catalogue.rows import RowReader, matrix
from index.catalogue.schema import chunks, documents, places, recognised, sentences
from index.types import Chunk, Document, Place, Sentence, Span

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray
    from sqlalchemy import Connection, Table


class CatalogueReader(RowReader):
    """Reads of one generation. Safe to share between threads."""

    # -- documents

    def document(self, document_id: str) -> Document | None:
        """Return a document with its text, None when it is not (or no longer) there."""
        with self._database.read() as connection:
            values = {"generation": self.generation, "document": document_id}
            row = connection.execute(_DOCUMENT, values).mappings().first()
            return None if row is None else _document(row, _places(connection, values))

    def places(self, document_id: str) -> tuple[Place, ...]:
        """Return where the text of a document stands in its file, in order."""
        with self._database.read() as connection:
            return _places(connection, {"generation": self.generation, "document": document_id})

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

    def languages(self) -> frozenset[str]:
        """Return the languages of the documents."""
        query = select(documents.c.language).where(documents.c.generation == self.generation).distinct()
        with self._database.read() as connection:
            return frozenset(connection.execute(query).scalars())

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
            return matrix(connection.execute(query).scalars(), self.dimension)

    def chunk_vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors (dimension,) of the chunks of `ids` that are there, by id."""
        with self._database.read() as connection:
            return passages.chunk_vectors(connection, self.generation, ids, dimension=self.dimension)

    def chunks_holding(self, sentence_ids: Collection[str]) -> dict[str, list[str]]:
        """Return the ids of the chunks that hold each of the sentences that are there, by sentence id."""
        with self._database.read() as connection:
            return passages.chunks_holding(connection, self.generation, sentence_ids)

    def sentence_vectors_in(self, chunk_ids: Collection[str]) -> dict[str, NDArray[np.float32]]:
        """Return the vectors (n, dimension) of the sentences of each chunk that is there, in order, by chunk id."""
        with self._database.read() as connection:
            return passages.sentence_vectors_in(
                connection, self.generation, chunk_ids, dimension=self.dimension
            )

    # -- many at once, for answers

    def passages(self, chunk_ids: Sequence[str]) -> list[StoredChunk]:
        """Return the chunks of `chunk_ids` that are there, in the order given, with vectors and documents."""
        with self._database.read() as connection:
            return passages.passages(connection, self.generation, chunk_ids, dimension=self.dimension)

    def sentences_in(self, held_by: Iterable[Chunk]) -> dict[str, tuple[list[Sentence], NDArray[np.float32]]]:
        """Return the sentences of each chunk that is there, in order, with their vectors, by chunk id."""
        with self._database.read() as connection:
            return passages.sentences_in(connection, self.generation, held_by, dimension=self.dimension)

    def places_in(self, chunk_ids: Collection[str]) -> dict[str, tuple[Place, ...]]:
        """Return the places that each chunk stands in, for each that has any, by chunk id."""
        with self._database.read() as connection:
            return passages.places_in(connection, self.generation, chunk_ids)

    def openings(self, document_ids: Collection[str], *, sentences: int) -> dict[str, list[tuple[str, str]]]:
        """Return (text, language) of the first sentences of each document that is there, by its id."""
        with self._database.read() as connection:
            return passages.openings(connection, self.generation, document_ids, sentences=sentences)

    def parallels(self, document_ids: Collection[str]) -> dict[str, list[tuple[str, str]]]:
        """Return `parallel` of each document that has any, by its id."""
        with self._database.read() as connection:
            return passages.parallels(connection, self.generation, document_ids)

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

    def frequencies(self, asked: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """Return in how many chunks each ("words" or "keys", term) occurs."""
        with self._database.read() as connection:
            return fulltext.of(connection).frequencies(connection, self.generation, asked)

    # -- parts

    def _spans(
        self, table: Table, condition: ColumnElement[bool], ids: Collection[str] = ()
    ) -> list[dict[Any, Any]]:
        """Return spans as mappings, each with its own piece of the document's text, in document order."""
        columns = [column for column in table.c if column.name != "vector"]
        query = (
            select(*columns)
            .where(table.c.generation == self.generation, condition)
            .order_by(table.c.document_id, table.c.ordinal)
        )
        with self._database.read() as connection:
            found = connection.execute(query, sql.ids(ids)).mappings()
            rows: list[dict[Any, Any]] = [dict(row) for row in found]
            texts = self._texts(connection, {row["document_id"] for row in rows})
        for row in rows:
            row["text"] = texts[row["document_id"]][row["start"] : row["end"]]
        return rows

    def _texts(self, connection: Connection, ids: Collection[str]) -> dict[str, str]:
        query = select(documents.c.id, documents.c.text).where(
            documents.c.generation == self.generation, sql.among(documents.c.id)
        )
        return {row[0]: row[1] for row in connection.execute(query, sql.ids(ids))}


# Made once: making a statement takes longer than a short one runs.
_DOCUMENT = select(documents).where(
    documents.c.generation == bindparam("generation"), documents.c.id == bindparam("document")
)
_PLACES = (
    select(places.c.start, places.c.end, places.c.page, places.c.section, recognised.c.start.is_not(None))
    .outerjoin_from(places, recognised)
    .where(places.c.generation == bindparam("generation"), places.c.document_id == bindparam("document"))
    .order_by(places.c.start)
)


def _places(connection: Connection, values: Mapping[str, Any]) -> tuple[Place, ...]:
    return tuple(Place(*row) for row in connection.execute(_PLACES, values))


def _range(table: Table, document_id: str, first: int, last: int | None) -> ColumnElement[bool]:
    condition = (table.c.document_id == document_id) & (table.c.ordinal >= first)
    return condition if last is None else condition & (table.c.ordinal <= last)


def _document(row: Mapping[Any, Any], located: tuple[Place, ...]) -> Document:
    marked = tuple(Span(start, end, kind) for start, end, kind in json.loads(row["marked"]))
    names = ("id", "path", "title", "language", "source_url", "text", "media_type")
    return Document(**{name: row[name] for name in names}, marked=marked, places=located)


def _chunk(row: Mapping[Any, Any]) -> Chunk:
    names = ("id", "document_id", "ordinal", "start", "end", "text", "language", "first", "last")
    return Chunk(**{name: row[name] for name in names})


def _sentence(row: Mapping[Any, Any]) -> Sentence:
    names = ("id", "document_id", "ordinal", "start", "end", "text", "language", "kind")
    return Sentence(**{name: row[name] for name in names})
