"""The full text of a generation's chunks: which tokens stand where, and BM25 over them.

Tokens come ready-made, space-separated. `fts5` keeps them in SQLite, `tsvectors` in PostgreSQL; both cut at ASCII
characters that are neither letters nor digits, fold case, and compute the same scores from the same counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from index.catalogue import fts5, tsvectors

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from sqlalchemy import Connection


class FullText(Protocol):
    """What both offer; tables of their own for each generation keep the frequencies of a rebuild apart."""

    def create(self, connection: Connection, generation: int) -> None:
        """Make the tables of a generation."""
        ...

    def drop(self, connection: Connection, generation: int) -> None:
        """Delete the tables of a generation, if they are there."""
        ...

    def insert(self, connection: Connection, generation: int, rows: Iterable[tuple[int, str, str]]) -> None:
        """Add (row of the chunk, words, keys)."""
        ...

    def delete_document(self, connection: Connection, generation: int, document_id: str) -> None:
        """Delete the rows of a document's chunks; call it while the chunks are still there."""
        ...

    def orphans(self, connection: Connection, generation: int) -> int:
        """How many rows have no chunk, and chunks no row."""
        ...

    def frequencies(
        self, connection: Connection, generation: int, asked: Collection[tuple[str, str]]
    ) -> dict[tuple[str, str], int]:
        """In how many chunks each ("words" or "keys", term) occurs, by the pair as given; 0 when in none."""
        ...

    def search(
        self,
        connection: Connection,
        generation: int,
        *,
        words: Sequence[str],
        keys: Sequence[str],
        key_weight: float,
        top_k: int,
        documents: frozenset[str] | None,
    ) -> list[tuple[str, float]]:
        """Chunks that hold any of the terms: (chunk id, BM25 score >= 0), best first, then in row order.

        BM25 with k1 1.2 and b 0.75; a word counts 1, a key `key_weight`.
        """
        ...


def of(connection: Connection) -> FullText:
    """Return the full text of a connection's database."""
    return tsvectors if connection.dialect.name == "postgresql" else fts5
