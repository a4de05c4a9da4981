"""What SQLite and PostgreSQL say in different words, said in one place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, bindparam, delete, inspect, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import GenericFunction

from index.catalogue.schema import meta

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection, Table

IDS = "ids"
"""The parameter that `among` leaves open and `ids` gives."""


class json_texts(GenericFunction[Any]):  # noqa: N801 - the name of a function in SQL
    """The texts of a JSON array, a row each, in the column `value`."""

    inherit_cache = True


@compiles(json_texts, "sqlite")
def _in_sqlite(element: json_texts, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **options)})"


@compiles(json_texts, "postgresql")
def _in_postgresql(element: json_texts, compiler: Any, **options: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **options)} AS JSON))"


def among(column: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return a condition on the ids given with `ids`: one parameter however many they are."""
    return column.in_(select(json_texts(bindparam(IDS)).table_valued("value").c.value))


def ids(values: Collection[str]) -> dict[str, str]:
    """Return the parameter of `among`; what no store can hold is left out, for nothing is stored under it."""
    return {IDS: json.dumps([value for value in values if _storable(value)])}


def upsert(connection: Connection, table: Table) -> Any:
    """Return an INSERT that knows `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def put(connection: Connection, key: str, value: str) -> None:
    """Set a small fact of `meta`."""
    statement = upsert(connection, meta).values(key=key, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=[meta.c.key], set_={"value": value}))


def got(connection: Connection, key: str) -> str | None:
    """Return a small fact of `meta`, None when it was never set."""
    value = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    return None if value is None else str(value)


def new_rows(connection: Connection, table: Table, count: int) -> int:
    """Return the first of `count` row numbers, one past every number ever used, deleted ones included."""
    if connection.dialect.name == "postgresql":
        # Only one transaction writes at a time, so a number of its own is enough.
        key = _rows_of(table)
        used = int(got(connection, key) or 0)
        put(connection, key, str(used + count))
        return used + 1
    # What AUTOINCREMENT itself would give.
    query = "SELECT seq FROM sqlite_sequence WHERE name = ?"
    return int(connection.exec_driver_sql(query, (table.name,)).scalar() or 0) + 1


def delete_some(connection: Connection, table: Table, generation: int, *, limit: int) -> int:
    """Delete at most `limit` rows of a generation; returns how many there were."""
    place = "ctid" if connection.dialect.name == "postgresql" else "rowid"
    statement = (
        f"DELETE FROM {table.name} WHERE {place} IN "  # noqa: S608
        f"(SELECT {place} FROM {table.name} WHERE generation = {generation:d} LIMIT {limit:d})"
    )
    return connection.exec_driver_sql(statement).rowcount


def is_there(connection: Connection, table: Table) -> bool:
    """Return whether the database has a table."""
    return inspect(connection).has_table(table.name)


def drop_if_empty(connection: Connection, table: Table) -> None:
    """Drop a table that has no rows any more, and forget the numbers that they had."""
    if connection.execute(select(literal(1)).select_from(table).limit(1)).first() is None:
        table.drop(connection)
        connection.execute(delete(meta).where(meta.c.key == _rows_of(table)))


def _rows_of(table: Table) -> str:
    return f"rows of {table.name}"


def _storable(value: str) -> bool:
    try:
        return "\0" not in value and bool(value.encode())
    except UnicodeEncodeError:
        return False
