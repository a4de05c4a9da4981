"""Full text in SQLite: an FTS5 table per generation. See `fulltext.FullText` for what each function does.

The tokenizer is FTS5's `ascii`: it cuts at ASCII characters that are neither letters nor digits and keeps
every other character. `unicode61` would cut at marks and at letters younger than SQLite's Unicode tables;
tokens that come ready-made and space-separated need neither. Case is folded here, the same for rows and
questions.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

MAX_TERMS = 128
"""A question's terms beyond this many are left out, the most frequent first: FTS5 bounds its expressions."""


def create(connection: Connection, generation: int) -> None:
    """Make the tables of a generation."""
    name = _table(generation)
    connection.exec_driver_sql(f"CREATE VIRTUAL TABLE {name} USING fts5(words, keys, tokenize = 'ascii')")
    connection.exec_driver_sql(f"CREATE VIRTUAL TABLE {name}_terms USING fts5vocab({name}, 'col')")


def drop(connection: Connection, generation: int) -> None:
    """Delete the tables of a generation, if they are there."""
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_table(generation)}_terms")
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_table(generation)}")


def insert(connection: Connection, generation: int, rows: Iterable[tuple[int, str, str]]) -> None:
    """Add (row of the chunk, words, keys)."""
    values = [{"row": row, "words": words.casefold(), "keys": keys.casefold()} for row, words, keys in rows]
    if values:
        connection.execute(
            text(f"INSERT INTO {_table(generation)}(rowid, words, keys) VALUES (:row, :words, :keys)"),  # noqa: S608
            values,
        )


def delete_document(connection: Connection, generation: int, document_id: str) -> None:
    """Delete the rows of a document's chunks; call it while the chunks are still there."""
    connection.execute(
        text(
            f"DELETE FROM {_table(generation)} WHERE rowid IN "  # noqa: S608
            "(SELECT row FROM chunks WHERE generation = :generation AND document_id = :document)"
        ),
        {"generation": generation, "document": document_id},
    )


def orphans(connection: Connection, generation: int) -> int:
    """How many rows have no chunk, and chunks no row."""
    found = connection.execute(
        text(
            f"SELECT (SELECT count(*) FROM {_table(generation)} WHERE rowid NOT IN "  # noqa: S608
            "(SELECT row FROM chunks WHERE generation = :generation)) + "
            "(SELECT count(*) FROM chunks WHERE generation = :generation AND row NOT IN "
            f"(SELECT rowid FROM {_table(generation)}))"
        ),
        {"generation": generation},
    ).scalar_one()
    return int(found)


def frequencies(
    connection: Connection, generation: int, asked: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """In how many chunks each (column, term) occurs, by the pair as given; 0 when in none."""
    folded = {(column, term): (column, clean(term)) for column, term in asked}
    rows = connection.execute(
        text(
            f"SELECT col, term, doc FROM {_table(generation)}_terms "  # noqa: S608
            "WHERE term IN (SELECT value FROM json_each(:terms))"
        ),
        {"terms": json.dumps(sorted({term for _, term in folded.values()}))},
    )
    found = {(column, term): int(chunks) for column, term, chunks in rows.all()}
    return {pair: found.get(fold, 0) for pair, fold in folded.items()}


def search(
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

    BM25 as in FTS5 (k1 1.2, b 0.75), its column weights 1 for words and `key_weight` for keys.
    """
    expression = _expression(words=words, keys=keys)
    if not expression:
        return []
    name = _table(generation)
    # The best are found first: the row of a chunk has its vector, and many more chunks hold a term.
    only = "" if documents is None else _ONLY.format(name=name)
    rows = connection.execute(
        text(
            f"SELECT c.id, best.score FROM (SELECT {name}.rowid AS row, -bm25({name}, 1.0, :weight) AS score "  # noqa: S608
            f"FROM {name} {only}WHERE {name} MATCH :expression ORDER BY score DESC, {name}.rowid LIMIT :top_k) AS best "
            "JOIN chunks AS c ON c.row = best.row ORDER BY best.score DESC, best.row"
        ),
        {
            "weight": key_weight,
            "expression": expression,
            "top_k": top_k,
            **({} if documents is None else {"documents": json.dumps(sorted(documents))}),
        },
    )
    return [(chunk, max(0.0, score)) for chunk, score in rows]


_ONLY = (
    "JOIN chunks AS c ON c.row = {name}.rowid AND c.document_id IN (SELECT value FROM json_each(:documents)) "
)


def clean(term: str) -> str:
    """Return a term as it is compared: case folded, without what SQLite cannot hold in a text."""
    return term.replace("\0", " ").encode("utf-8", "ignore").decode("utf-8").casefold().strip()


def _expression(*, words: Sequence[str], keys: Sequence[str]) -> str:
    """Return an FTS5 expression; every term is quoted, so none can be read as an operator."""
    columns = [("words", _quoted(words)), ("keys", _quoted(keys))]
    return " OR ".join(f"{column} : ({' OR '.join(terms)})" for column, terms in columns if terms)


def _quoted(terms: Sequence[str]) -> list[str]:
    cleaned = dict.fromkeys(clean(term) for term in terms)
    return ['"' + term.replace('"', " ") + '"' for term in cleaned if any(map(_kept, term))]


def _kept(character: str) -> bool:
    """Whether the `ascii` tokenizer keeps it; a term of none would be an empty phrase."""
    return character.isalnum() if character.isascii() else True


def _table(generation: int) -> str:
    return f"fulltext_{generation:d}"
