"""The list of documents, a page at a time: narrowed by words of any script, in the order asked for."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import func, select

from index.catalogue import sql
from index.catalogue.records import DocumentInfo
from index.catalogue.schema import documents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Connection

Order = Literal["path", "newest", "title"]
"""By folder and path; the latest first; by title, whatever its case and the signs it begins with."""

_INFO = ("id", "folder", "path", "title", "language", "source_url", "media_type", "characters", "chunks")
INFO_COLUMNS = tuple(documents.c[name] for name in (*_INFO, "sentences", "added_at"))

_BY_PATH = (documents.c.folder, documents.c.path)
_NEWEST = (documents.c.added_at.desc(), *_BY_PATH)


def page(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int,
    offset: int,
    words: str,
    order: Order,
) -> tuple[int, list[DocumentInfo]]:
    """Return how many documents pass the conditions and hold all words in title or path, and a page of them."""
    wanted = folded(words).split()
    if wanted or order == "title":
        ids = _chosen(connection, conditions, wanted, order)
        return len(ids), _infos(connection, conditions, ids[offset : offset + limit])
    total = connection.execute(select(func.count()).select_from(documents).where(*conditions)).scalar_one()
    query = select(*INFO_COLUMNS).where(*conditions).order_by(*_sorted_by(order)).limit(limit).offset(offset)
    return int(total), [DocumentInfo(**row) for row in connection.execute(query).mappings()]


def folded(text: str) -> str:
    """A text as it is compared: whatever its case, in any script."""
    return unicodedata.normalize("NFC", text.casefold())


def _chosen(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], wanted: Sequence[str], order: Order
) -> list[str]:
    """The ids of the documents that hold all words, in their order. SQLite folds the case of ASCII alone."""
    columns = (documents.c.id, documents.c.title, documents.c.path)
    rows: list[Any] = list(
        connection.execute(select(*columns).where(*conditions).order_by(*_sorted_by(order)))
    )
    if wanted:
        rows = [row for row in rows if _holds(folded(f"{row[1]} {row[2]}"), wanted)]
    if order == "title":
        rows.sort(key=lambda row: _title_key(row[1]))
    return [row[0] for row in rows]


def _holds(text: str, wanted: Sequence[str]) -> bool:
    return all(word in text for word in wanted)


def _title_key(title: str) -> str:
    """Titles in quotes stand among the others."""
    text = folded(title)
    for position, character in enumerate(text):
        if character.isalnum():
            return text[position:]
    return text


def _sorted_by(order: Order) -> tuple[ColumnElement[Any], ...]:
    return _NEWEST if order == "newest" else _BY_PATH


def _infos(
    connection: Connection, conditions: Sequence[ColumnElement[bool]], ids: Sequence[str]
) -> list[DocumentInfo]:
    query = select(*INFO_COLUMNS).where(*conditions, sql.among(documents.c.id))
    rows = connection.execute(query, sql.ids(ids)).mappings()
    found = {row["id"]: DocumentInfo(**row) for row in rows}
    return [found[key] for key in ids if key in found]
