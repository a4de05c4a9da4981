"""Copies of a catalogue's file: taken while it is written to, and brought to another place."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from index.catalogue.sqlite_file import FILE_NAME, translated
from index.errors import IndexMissing


def copy_catalogue(data_dir: Path, target: Path) -> None:
    """Copy the catalogue of a data directory as it is at this moment; its writer goes on meanwhile.

    Raises:
        IndexMissing: there is none.
        IndexDamaged, WorkError: it cannot be read, or `target` cannot be written.
    """
    source = data_dir / FILE_NAME
    if not source.is_file():
        raise IndexMissing(f"nothing is indexed in {data_dir}: run `rag index`")
    with (
        translated(source),
        closing(sqlite3.connect(source)) as live,
        closing(sqlite3.connect(target)) as copy,
    ):
        live.execute("PRAGMA query_only = ON")
        live.backup(copy)  # in one step: all of it is of one moment
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it


def move_folder(catalogue: Path, *, before: str, after: str) -> None:
    """Call the folder of indexed files otherwise in a catalogue's file that nobody has open."""
    with translated(catalogue), closing(sqlite3.connect(catalogue)) as connection, connection:
        for table in ("documents", "files", "doomed_files"):
            connection.execute(f"UPDATE {table} SET folder = ? WHERE folder = ?", (after, before))  # noqa: S608 - names of ours
        found = connection.execute("SELECT value FROM meta WHERE key = 'folders'").fetchone()
        if found is not None:
            folders = [after if folder == before else folder for folder in json.loads(found[0])]
            known = json.dumps(folders, ensure_ascii=False)
            connection.execute("UPDATE meta SET value = ? WHERE key = 'folders'", (known,))
