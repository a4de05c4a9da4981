"""Rows of one generation in the order of their numbers, with their vectors: what a vector index is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import bindparam, func, select

from index.catalogue import sql
from index.catalogue.schema import SPANS, documents
from index.errors import IndexDamaged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from numpy.typing import NDArray
    from sqlalchemy import Connection, Select, Table

    from index.catalogue.database import Database
    from index.catalogue.records import Space


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


# Made once, for every question on a corpus that lost documents: making a statement takes longer than it runs.
_RESOLVE = {
    space: select(table.c.row, table.c.id, table.c.document_id).where(
        table.c.generation == bindparam("generation"), sql.among(table.c.id)
    )
    for space, table in SPANS.items()
}


class RowReader:
    """Reads of the rows of one generation. Safe to share between threads."""

    def __init__(self, database: Database, generation: int, *, dimension: int) -> None:
        self.generation = generation
        self.dimension = dimension
        self._database = database

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
        values = {"generation": self.generation, **sql.ids(ids)}
        with self._database.read() as connection:
            return {row[1]: Row(*row) for row in connection.execute(_RESOLVE[space], values).all()}

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

    def _rows(self, table: Table) -> Select[Any]:
        return select(table.c.row, table.c.id, table.c.document_id, table.c.vector).where(
            table.c.generation == self.generation
        )

    def _block(self, connection: Connection, query: Select[Any], values: Mapping[str, Any]) -> Block:
        found = connection.execute(query, dict(values)).all()
        rows = [Row(row[0], row[1], row[2]) for row in found]
        return Block(rows, matrix((row[3] for row in found), self.dimension))


def matrix(blobs: Iterable[bytes], dimension: int) -> NDArray[np.float32]:
    """Return stored vectors as rows, (n, dimension) float32.

    Raises:
        IndexDamaged: they have another number of numbers.
    """
    joined = b"".join(blobs)
    if len(joined) % (4 * dimension):
        raise IndexDamaged(
            f"stored vectors do not have {dimension} numbers: delete the catalogue, run `rag index`"
        )
    return np.frombuffer(joined, dtype="<f4").reshape(-1, dimension)
