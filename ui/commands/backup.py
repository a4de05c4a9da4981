"""`rag backup` and `rag restore`."""

from __future__ import annotations

from pathlib import Path

import click

from index import backup as backups
from index.ownership import own
from rag.feedback import FILE_NAME
from rag.keys import KEYS_NAME, USED_NAME
from rag.settings import load_settings

# What is worth keeping beside the index: keys, when they were used, and ratings.
_ALSO = (KEYS_NAME, USED_NAME, FILE_NAME)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write the index, uploaded files, keys and ratings to FILE; a server may go on meanwhile."""
    _say(f"{file} holds", backups.backup(load_settings().index, file, also=_ALSO))


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="An index that is there already is put aside.")
def restore(file: Path, replace: bool) -> None:
    """Bring the data directory to what FILE, written by `rag backup`, holds; no server may own it."""
    settings = load_settings().index
    with own(settings.data_dir, purpose="rag restore"):
        found = backups.restore(settings, file, also=_ALSO, replace=replace)
    _say(f"{settings.data_dir} is as in {file}:", found)


def _say(what: str, found: backups.Backup) -> None:
    click.echo(f"{what} {found.files:,} files, {found.size / 1e6:,.1f} MB, of {found.created}")
