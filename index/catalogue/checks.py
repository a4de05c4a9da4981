"""The catalogue's own health check."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from index.catalogue import fulltext
from index.catalogue.schema import SPANS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from index.catalogue.database import Database
    from index.catalogue.records import Generation

_REMEDY = "delete the catalogue and run `rag index`"


def check(database: Database, generations: list[Generation]) -> list[str]:
    """Return one line per fault, with its remedy."""
    faults = [f"{fault}: {_REMEDY}" for fault in database.faults()]
    if faults:
        return faults
    with database.read() as connection:
        for generation in generations:
            faults.extend(f"{fault}: {_REMEDY}" for fault in _faults(connection, generation))
    return faults


def _faults(connection: Connection, generation: Generation) -> Iterator[str]:
    values = {"generation": generation.id, "size": 4 * generation.manifest.dimension}
    for space in SPANS:
        for what, condition in _CONDITIONS.items():
            found = connection.execute(
                text(f"SELECT count(*) FROM {space} AS s WHERE generation = :generation AND {condition}"),  # noqa: S608
                values,
            ).scalar_one()
            if found:
                yield f"{found} {space} {what}"
        wrong = connection.execute(text(_WRONG_COUNTS.format(space=space)), values).scalar_one()
        if wrong:
            yield f"{wrong} documents do not have all of their {space}"
    ownerless = connection.execute(text(_OWNERLESS), values).scalar_one()
    if ownerless:
        yield f"{ownerless} documents do not belong to exactly one file"
    odd = fulltext.of(connection).orphans(connection, generation.id)
    if odd:
        yield f"{odd} rows of the full-text table and the chunks do not match"


_CONDITIONS = {
    "have vectors of a wrong size": "length(vector) != :size",
    "belong to no document": (
        "NOT EXISTS (SELECT 1 FROM documents AS d WHERE d.generation = s.generation AND d.id = s.document_id)"
    ),
}
_WRONG_COUNTS = (
    "SELECT count(*) FROM documents AS d WHERE generation = :generation AND {space} != "
    "(SELECT count(*) FROM {space} AS s WHERE s.generation = d.generation AND s.document_id = d.id)"
)
_OWNERLESS = (
    "SELECT count(*) FROM documents AS d WHERE generation = :generation AND 1 != "
    "(SELECT count(*) FROM files AS f WHERE f.generation = d.generation AND f.document_id = d.id "
    "AND f.skip_reason IS NULL)"
)
