"""`rag index`."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from index.errors import PolyciteError, UsageError, WorkError
from index.ownership import own
from rag.settings import load_settings
from ui import render
from ui.progress import indexing
from ui.watching import changes_of

if TYPE_CHECKING:
    from types import FrameType

    from index.indexer import Progress, Summary
    from index.settings import IndexSettings


@click.command()
@click.argument("path", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--allow-empty", is_flag=True, help="Remove documents even where none is left in their folder.")
@click.option(
    "--watch", is_flag=True, help="Go on: index PATH again whenever its files have changed, until Ctrl-C."
)
@click.pass_context
def index(ctx: click.Context, path: Path | None, allow_empty: bool, watch: bool) -> None:
    """Make the index equal to the folder PATH.

    Without PATH: the shipped documents and what was uploaded. Files that are in neither leave the index, once all
    others are in it. The exit code is 1 when a file was skipped for any reason but being a duplicate.
    """
    settings = load_settings().index
    if not watch:
        summary = _round(settings, path, allow_empty=allow_empty)
        ctx.exit(1 if summary.failed else 0)
    if path is None:
        raise UsageError("--watch needs the folder to watch: rag index --watch PATH")
    _follow(settings, path, allow_empty=allow_empty)


def _round(settings: IndexSettings, path: Path | None, *, allow_empty: bool) -> Summary:
    """Index once and say what was done."""
    # Where processes share a catalogue, its writer's turn is taken instead (see `make_index`).
    alone = own(settings.data_dir, purpose="rag index") if settings.database_url is None else nullcontext()
    with alone:
        summary = run_indexer(settings, None if path is None else [path], allow_empty=allow_empty)
    render.show_summary(render.terminal(), summary)
    return summary


def _follow(settings: IndexSettings, path: Path, *, allow_empty: bool) -> None:
    """Index a folder, and again after each change of its files; the data directory is free in between.

    Raises:
        PolyciteError: of the first round, or one that Ctrl-C stopped; what fails later is said, and tried again at
            the next change.
    """
    first = True
    # The watching begins before the first round, so that what changes meanwhile is not missed.
    for changed in changes_of(path):
        if not (first or changed):
            continue
        try:
            _round(settings, path, allow_empty=allow_empty)
        except PolyciteError as error:
            if first or isinstance(error.__cause__, KeyboardInterrupt):
                raise
            click.echo(f"not indexed: {error}; tried again when a file changes", err=True)
        if first:
            click.echo(f"watching {path}; Ctrl-C ends it", err=True)
        first = False


def run_indexer(
    settings: IndexSettings, folders: Sequence[Path] | None, *, allow_empty: bool = False
) -> Summary:
    """Index `folders` with progress on stderr; the caller owns the data directory.

    None: the folders of `index.upkeep.default_folders`.

    Raises:
        WorkError: it was stopped by Ctrl-C, among the others of `make_index`.
    """
    try:
        with _remembered_interrupt() as check, indexing() as bars:
            from index.upkeep import default_folders, make_index  # seconds: after the bar is there

            def files(done: Progress) -> None:
                check()
                bars.files(done)

            return make_index(
                settings,
                default_folders(settings) if folders is None else folders,
                allow_empty=allow_empty,
                progress=files,
                writing=bars.vectors,
            )
    except KeyboardInterrupt as error:
        raise WorkError("stopped; run again to complete") from error


@contextlib.contextmanager
def _remembered_interrupt() -> Iterator[Callable[[], None]]:
    """Gives a check that raises KeyboardInterrupt for a Ctrl-C that came before it was first called, or was lost.

    Until then libraries are being imported, and an exception out of nowhere in the middle of an import may be swallowed
    or end the process with a traceback. A second Ctrl-C does not wait.
    """
    pressed = started = False

    def remember(signum: int, frame: FrameType | None) -> None:
        nonlocal pressed
        waits = not (started or pressed)
        pressed = True
        if not waits:
            signal.default_int_handler(signum, frame)

    def check() -> None:
        nonlocal started
        started = True
        if pressed:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield check
        return
    before = signal.signal(signal.SIGINT, remember)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)
