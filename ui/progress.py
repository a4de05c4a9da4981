"""Progress on stderr: what is being done, its rate and the time left. It leaves nothing behind, and shows nothing
where stderr is not a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ui.render import terminal

if TYPE_CHECKING:
    from index.indexer import Progress as Indexed


class IndexingBars:
    """The two stages of `rag index`: files into the catalogue, then rows into Chroma."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._started = time.monotonic()
        self._loading: TaskID | None = progress.add_task("loading the model", total=None, note="")
        self._files: TaskID | None = None
        self._vectors: TaskID | None = None

    def files(self, done: Indexed) -> None:
        """Show how far the indexer is; the time left goes by the bytes that are to be read."""
        if self._files is None:
            self._loaded()
            self._started = time.monotonic()
            self._files = self._progress.add_task("indexing", total=None, note="")
        seconds = max(time.monotonic() - self._started, 1e-3)
        note = f"{done.files_done:,}/{done.files_total:,} files, {done.texts / seconds:,.0f} texts/s"
        self._progress.update(self._files, total=done.bytes_total, completed=done.bytes_done, note=note)

    def vectors(self, written: int, rows: int) -> None:
        """Show how far the vectors for search are written."""
        if self._vectors is None:
            self._loaded()
            self._vectors = self._progress.add_task("writing vectors", total=rows, note="")
        self._progress.update(self._vectors, total=rows, completed=written, note=f"{written:,}/{rows:,} rows")

    def _loaded(self) -> None:
        if self._loading is not None:
            self._progress.remove_task(self._loading)
            self._loading = None


@contextmanager
def indexing() -> Iterator[IndexingBars]:
    """Bars for a run of the indexer."""
    console = terminal(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[note]}", style="dim"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield IndexingBars(progress)


@contextmanager
def counting(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for things that are counted: call it with what is being done, how many are done, and of how many."""
    console = terminal(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=None)
        shown = what

        def count(name: str, done: int, total: int) -> None:
            nonlocal shown
            if name != shown:  # the time left is of what is being done
                progress.reset(task, description=name, total=total)
                shown = name
            progress.update(task, completed=done, total=total)

        yield count


@contextmanager
def working(what: str) -> Iterator[None]:
    """A sign of life while something takes seconds."""
    console = terminal(stderr=True)
    if not console.is_terminal:
        yield
        return
    with console.status(what):
        yield
