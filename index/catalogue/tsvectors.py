"""Full text in PostgreSQL, with the answers of `fts5`. See `fulltext.FullText` for what each function does.

A generation has two tables. One holds a row a chunk: its tokens as `tsvector`s, which GIN indexes find, how many it
has, and how often the repeated ones occur. The other holds in how many chunks each token occurs, so that a question
counts nothing. Scores are FTS5's own arithmetic, in the same order, so they are the same to the last digit; only a
term of several tokens, which nothing that asks makes, finds nothing here.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from index.catalogue.fts5 import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

K1, B = 1.2, 0.75
"""FTS5's constants of BM25."""

LEAST_IDF = 1e-6
"""FTS5's worth of a term that stands in more than half of the chunks."""

_SEPARATORS = re.compile(r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f]+")
# A lexeme may have 2,046 bytes and an index entry 2,700.
_LONGEST_BYTES = 500


def create(connection: Connection, generation: int) -> None:
    name = _table(generation)
    for statement in (
        f"CREATE TABLE {name} (row bigint PRIMARY KEY, size integer NOT NULL, words tsvector NOT NULL, "
        "keys tsvector NOT NULL, word_counts jsonb, key_counts jsonb)",
        f"CREATE INDEX {name}_words ON {name} USING gin (words)",
        f"CREATE INDEX {name}_keys ON {name} USING gin (keys)",
        f'CREATE TABLE {name}_terms (place text COLLATE "C", term text COLLATE "C", chunks bigint NOT NULL, '
        "PRIMARY KEY (place, term))",
    ):
        connection.exec_driver_sql(statement)


def drop(connection: Connection, generation: int) -> None:
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {_table(generation)}, {_table(generation)}_terms")


def insert(connection: Connection, generation: int, rows: Iterable[tuple[int, str, str]]) -> None:
    name = _table(generation)
    values, counts = [], Counter[tuple[str, str]]()
    for row, words, keys in rows:
        by_place = {"words": Counter(_tokens(words)), "keys": Counter(_tokens(keys))}
        size = sum(found.total() for found in by_place.values())
        values.append(
            {
                "row": row,
                "size": size,
                "words": list(by_place["words"]),
                "keys": list(by_place["keys"]),
                "word_counts": _repeated(by_place["words"]),
                "key_counts": _repeated(by_place["keys"]),
            }
        )
        counts.update((place, token) for place, found in by_place.items() for token in found)
        counts.update({_CHUNKS: 1, _TOKENS: size})
    if values:
        connection.execute(text(_INSERT.format(name=name)), values)
        _count(connection, name, counts)


def delete_document(connection: Connection, generation: int, document_id: str) -> None:
    name = _table(generation)
    gone = connection.execute(
        text(
            f"DELETE FROM {name} WHERE row IN "  # noqa: S608
            "(SELECT c.row FROM chunks AS c WHERE c.generation = :generation AND c.document_id = :document) "
            "RETURNING size, tsvector_to_array(words), tsvector_to_array(keys)"
        ),
        {"generation": generation, "document": document_id},
    ).all()
    counts = Counter[tuple[str, str]]()
    for size, words, keys in gone:
        counts.update(("words", token) for token in words)
        counts.update(("keys", token) for token in keys)
        counts.update({_CHUNKS: 1, _TOKENS: size})
    if counts:
        _count(connection, name, {key: -number for key, number in counts.items()})


def orphans(connection: Connection, generation: int) -> int:
    found = connection.execute(
        text(
            "SELECT count(*) FROM (SELECT row FROM chunks WHERE generation = :generation) AS c "  # noqa: S608
            f"FULL JOIN {_table(generation)} AS f ON f.row = c.row WHERE f.row IS NULL OR c.row IS NULL"
        ),
        {"generation": generation},
    ).scalar_one()
    return int(found)


def frequencies(
    connection: Connection, generation: int, asked: Collection[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    tokens = {(column, term): (column, _short(clean(term))) for column, term in asked}
    found = _known(connection, generation, list(set(tokens.values())))
    return {pair: found.get(token, 0) for pair, token in tokens.items()}


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
    asked = [("words", token) for token in _asked(words)] + [("keys", token) for token in _asked(keys)]
    known = _known(connection, generation, asked)
    chunks, tokens = known.get(_CHUNKS, 0), known.get(_TOKENS, 0)
    present = [each for each in asked if known.get(each, 0) > 0]
    if not present or not tokens:
        return []
    only = "" if documents is None else _ONLY
    found = connection.execute(
        text(_SEARCH.format(name=_table(generation), only=only)),
        {
            "places": [place for place, _ in present],
            "terms": [token for _, token in present],
            "idfs": [_idf(known[each], chunks) for each in present],
            "weights": [1.0 if place == "words" else key_weight for place, _ in present],
            "k1": K1,
            "b": B,
            "mean": tokens / chunks,
            "top_k": top_k,
            **({} if documents is None else {"documents": json.dumps(sorted(documents))}),
        },
    )
    return [(chunk, max(0.0, score)) for chunk, score in found]


# Beside the tokens, under a place that none has: how many chunks there are, and tokens in all of them.
_CHUNKS, _TOKENS = ("", "chunks"), ("", "tokens")

_INSERT = (
    "INSERT INTO {name} (row, size, words, keys, word_counts, key_counts) VALUES (:row, :size, "
    "array_to_tsvector(CAST(:words AS text[])), array_to_tsvector(CAST(:keys AS text[])), "
    "CAST(:word_counts AS jsonb), CAST(:key_counts AS jsonb))"
)
_ONLY = (
    "AND f.row IN (SELECT c.row FROM chunks AS c WHERE c.document_id IN "
    "(SELECT json_array_elements_text(CAST(:documents AS json)))) "
)
# No token holds a quotation mark or a backslash, so each can be quoted as a query.
_SEARCH = """
WITH asked AS (
    SELECT * FROM unnest(CAST(:places AS text[]), CAST(:terms AS text[]), CAST(:idfs AS float8[]),
        CAST(:weights AS float8[])) WITH ORDINALITY AS a(place, term, idf, weight, position)
), found AS (
    SELECT f.row, f.size, a.position, a.idf, a.weight * coalesce((f.word_counts ->> a.term)::float8, 1) AS n
    FROM asked AS a JOIN {name} AS f ON f.words @@ CAST('''' || a.term || '''' AS tsquery)
    WHERE a.place = 'words' {only}
    UNION ALL
    SELECT f.row, f.size, a.position, a.idf, a.weight * coalesce((f.key_counts ->> a.term)::float8, 1) AS n
    FROM asked AS a JOIN {name} AS f ON f.keys @@ CAST('''' || a.term || '''' AS tsquery)
    WHERE a.place = 'keys' {only}
), best AS (
    SELECT row, sum(
        idf * ((n * (CAST(:k1 AS float8) + 1)) / (n + CAST(:k1 AS float8) * (
            (1 - CAST(:b AS float8)) + (CAST(:b AS float8) * size) / CAST(:mean AS float8))))
        ORDER BY position
    ) AS score
    FROM found GROUP BY row ORDER BY score DESC, row LIMIT :top_k
)
SELECT c.id, best.score FROM best JOIN chunks AS c ON c.row = best.row ORDER BY best.score DESC, best.row
"""


def _known(
    connection: Connection, generation: int, asked: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], int]:
    """In how many chunks each (place, token) occurs, those that are there, and the totals."""
    found = connection.execute(
        text(
            f"SELECT place, term, chunks FROM {_table(generation)}_terms WHERE (place, term) IN "  # noqa: S608
            "(SELECT * FROM unnest(CAST(:places AS text[]), CAST(:terms AS text[])))"
        ),
        {
            "places": [place for place, _ in (*asked, _CHUNKS, _TOKENS)],
            "terms": [term for _, term in (*asked, _CHUNKS, _TOKENS)],
        },
    )
    return {(place, term): int(chunks) for place, term, chunks in found}


def _count(connection: Connection, name: str, counts: dict[tuple[str, str], int]) -> None:
    """Add to what is known of tokens."""
    connection.execute(
        text(
            f"INSERT INTO {name}_terms AS t (place, term, chunks) "  # noqa: S608
            "SELECT * FROM unnest(CAST(:places AS text[]), CAST(:terms AS text[]), CAST(:counts AS bigint[])) "
            "ON CONFLICT (place, term) DO UPDATE SET chunks = t.chunks + excluded.chunks"
        ),
        {
            "places": [place for place, _ in counts],
            "terms": [term for _, term in counts],
            "counts": list(counts.values()),
        },
    )


def _idf(holding: int, chunks: int) -> float:
    idf = math.log((chunks - holding + 0.5) / (holding + 0.5))
    return idf if idf > 0 else LEAST_IDF


def _asked(terms: Sequence[str]) -> list[str]:
    """The tokens of terms that are one token each."""
    cut = [_tokens(term) for term in dict.fromkeys(clean(term) for term in terms)]
    return [tokens[0] for tokens in cut if len(tokens) == 1]


def _tokens(given: str) -> list[str]:
    return [_short(token) for token in _SEPARATORS.split(given.casefold()) if token]


def _short(token: str) -> str:
    """A token as it is stored; what stands for a long one is the same for the same token only."""
    content = token.encode("utf-8", "replace")
    if len(content) <= _LONGEST_BYTES:
        return token
    return f"{token[:20]}{hashlib.sha256(content).hexdigest()}"


def _repeated(counts: Counter[str]) -> str | None:
    repeated = {token: number for token, number in counts.items() if number > 1}
    return json.dumps(repeated, ensure_ascii=False) if repeated else None


def _table(generation: int) -> str:
    return f"fulltext_{generation:d}"
