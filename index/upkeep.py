"""Keeps an index in order: equal to its folders, with a fresh and sound Chroma version.

Writers own the data directory (see `index.ownership`); the caller takes it, because a server holds it for
longer than one of these calls.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from index.catalogue import Catalogue, Generation
from index.embedder import Embedder, load_embedder
from index.errors import IndexBusy, IndexMissing, UsageError, WorkError
from index.indexer import Indexer, Progress, Summary
from index.ownership import own
from index.settings import IndexSettings
from index.uploads import UploadFiles, agree_on_folder, clear_doomed, clear_leftovers, upload_folder
from index.vectors import build, health, pointer
from index.vectors.builder import Builder
from index.vectors.home import Home

log = logging.getLogger(__name__)


# While questions are answered, so many rows are searched exactly in less than a millisecond: a new version for fewer
# of them would keep the processor from the questions.
_FEWEST_SERVING = 2_000

# The process that writes the vectors is got ready when no more than this is left to be indexed. Embedding so much takes
# longer than the second that it needs, and a long run need not hold its memory from the start.
_LAST_BYTES = 100_000

TURN_SECONDS = 30.0
"""How long a run waits for another process that changes the same catalogue, an upload for example."""


def default_folders(settings: IndexSettings) -> list[Path]:
    """The folders that are indexed when none is named: the shipped documents, and what was uploaded."""
    uploads = upload_folder(settings)
    return [settings.seeds_dir, *([uploads] if uploads.is_dir() else [])]


def first_folders(settings: IndexSettings) -> list[Path]:
    """The folders of a first run that was interrupted, to be completed; else `default_folders`."""
    default = default_folders(settings)
    try:
        with Catalogue.configured(settings) as catalogue:
            live = catalogue.live()
            begun = {file.folder for file in catalogue.files(live)} if live is not None else set()
    except IndexMissing:
        return default
    if begun <= {str(folder.resolve()) for folder in default}:
        return default
    return [Path(folder) for folder in sorted(begun)]


# float32. A version holds each once and its own log once more, chosen; one of a few rows takes so much.
_BYTES_OF_A_NUMBER = 4
_BYTES_OF_A_VERSION = 4_000_000


def was_indexed(settings: IndexSettings) -> bool:
    """Whether a run of `make_index` ever came to its end here; an interrupted first run does not count.

    Raises:
        IndexMismatch, IndexDamaged: there is a catalogue, and it cannot be read.
    """
    try:
        with Catalogue.configured(settings) as catalogue:
            return catalogue.live() is not None and bool(catalogue.folders())
    except IndexMissing:
        return False


def require_index(settings: IndexSettings) -> None:
    """Fail before anything slow is loaded when there is nothing to answer from.

    Raises:
        IndexMissing: nothing is indexed.
        IndexMismatch, IndexDamaged: the catalogue cannot be read.
    """
    with Catalogue.configured(settings) as catalogue:
        if catalogue.live() is None:
            raise IndexMissing(f"nothing is indexed in {catalogue.where}: run `rag index`")


def make_index(
    settings: IndexSettings,
    folders: Sequence[Path],
    *,
    allow_empty: bool = False,
    progress: Callable[[Progress], None] | None = None,
    writing: Callable[[int, int], None] | None = None,
    embedder: Embedder | None = None,
    purpose: str = "rag index",
) -> Summary:
    """Make the index equal to the files of `folders`, then its Chroma version if need be.

    A new Chroma version is built when there is none, when the one in service is damaged or belongs to another
    index, and when more than `settings.chroma_rebuild_share` of the rows moved since. Where that fails the index
    is complete all the same and searches are exact; a warning is logged.

    Args:
        allow_empty, progress: see `Indexer.run`.
        writing: called with the rows of the new Chroma version written so far and in all.
        embedder: one that is loaded already; None loads the configured one.
        purpose: the command, for other processes that want to change a shared catalogue meanwhile.

    Raises:
        UsageError: a folder does not exist, or the uploads of a shared catalogue lie elsewhere than here.
        IndexBusy: another process changes the shared catalogue.
        ModelError: the model cannot be loaded.
        WorkError: the data directory cannot be written, or too much would leave the index (see `Indexer.run`).
    """
    missing = next((folder for folder in folders if not folder.is_dir()), None)
    if missing is not None:
        raise UsageError(f"{missing} is not a folder: give the folder that holds the documents")
    with Catalogue.configured(settings, create=True) as catalogue:
        agree_on_folder(catalogue, settings)
        loaded = embedder or load_embedder(settings)
        with catalogue.turn("writer", purpose=purpose, wait=TURN_SECONDS):
            clear_doomed(catalogue)
            clear_leftovers(UploadFiles(settings), catalogue)  # else a restored file would leave the index
            with _FirstBuilder(settings, catalogue) as first:
                summary = Indexer(catalogue, loaded, settings).run(
                    folders, allow_empty=allow_empty, progress=first.watching(progress)
                )
                refresh_vectors(settings, catalogue, writing=writing, builder=first.builder)
    return summary


class _FirstBuilder:
    """Gets the process ready that writes the first version, for which there is no doubt that it is needed."""

    def __init__(self, settings: IndexSettings, catalogue: Catalogue) -> None:
        self._settings = settings
        self._wanted = Home(settings.data_dir, settings.chroma_url, catalogue).pointer() is None
        self.builder: Builder | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.builder is not None:
            self.builder.close()

    def watching(self, progress: Callable[[Progress], None] | None) -> Callable[[Progress], None]:
        """Return what to call with the progress of the run."""

        def moved(now: Progress) -> None:
            if self._wanted and now.texts and now.bytes_total - now.bytes_done <= _LAST_BYTES:
                self._wanted = False
                with suppress(WorkError):  # the build, which tries again, says why
                    self.builder = _builder(self._settings)
            if progress is not None:
                progress(now)

        return moved


def refresh_vectors(
    settings: IndexSettings,
    catalogue: Catalogue,
    *,
    writing: Callable[[int, int], None] | None = None,
    serving: bool = False,
    builder: Builder | None = None,
) -> None:
    """Build a new Chroma version if the one in service will not do; a failure is logged, not raised.

    Args:
        writing: see `make_index`.
        serving: this process searches the version in service, which is kept until it has left it.
        builder: a process that is ready to; the caller closes it.
    """
    live = catalogue.live()
    if live is None:
        return
    home = Home(settings.data_dir, settings.chroma_url, catalogue)
    try:
        reason = build.needed(
            home,
            catalogue.reader(live),
            share=settings.chroma_rebuild_share,
            fewest=_FEWEST_SERVING if serving else 0,
        )
        if reason is not None:
            log.info("building the vectors for search: %s", reason)
            current = home.pointer() if serving and not home.shared else None
            keep = () if current is None else (current.version,)
            if builder is not None and builder.waits:
                builder.build(live.id, keep=keep, progress=writing)
            else:
                _rebuild(settings, live.id, writing, keep=keep)
    except WorkError as error:
        if not serving and _is_nearly_full(settings, catalogue, live):
            raise WorkError(
                f"the disk that holds {settings.data_dir} is full: free some space and run the command again; what is "
                "indexed answers meanwhile"
            ) from error
        log.warning("searches are exact, and slower in a large collection: %s", error)


def _is_nearly_full(settings: IndexSettings, catalogue: Catalogue, live: Generation) -> bool:
    """Whether there is less room than a version of the vectors for search takes."""
    counts = catalogue.reader(live).counts()
    vectors = (counts["chunks"] + counts["sentences"]) * live.manifest.dimension * _BYTES_OF_A_NUMBER
    return shutil.disk_usage(settings.data_dir).free < _BYTES_OF_A_VERSION + 2 * vectors


def vector_faults(settings: IndexSettings) -> list[str]:
    """What is wrong with the files of the Chroma version in service; empty when they can be opened.

    Empty too when there is no version, or when a Chroma server holds it.
    """
    current = pointer.read(settings.data_dir)
    if current is None or current.store != "files" or settings.chroma_url is not None:
        return []  # what a server holds is its own to look after
    return health.check_version(pointer.folder(settings.data_dir) / current.version)


def mend_vectors(settings: IndexSettings, *, purpose: str | None) -> bool:
    """Rebuild a damaged Chroma version from the catalogue; nothing is embedded.

    Args:
        purpose: the command that takes the data directory for this; None when the caller owns it already.

    Returns:
        Whether a sound version replaced a damaged one. Where that fails, or another process owns the
        directory, a warning is logged and searches are exact.

    Raises:
        IndexMissing, IndexMismatch, IndexDamaged: there is no catalogue to rebuild from.
    """
    faults = vector_faults(settings)
    if not faults:
        return False
    log.warning("the vectors for search are damaged (%s): rebuilding them from the catalogue", faults[0])
    with Catalogue.configured(settings) as catalogue:
        live = catalogue.live()
    if live is None:
        return False
    try:
        if purpose is None:
            _rebuild(settings, live.id, None)
        else:
            with own(settings.data_dir, purpose=purpose):
                _rebuild(settings, live.id, None)
    except IndexBusy as error:
        log.warning("searches are exact until they are rebuilt: %s", error)
        return False
    except WorkError as error:
        log.warning("searches are exact, and slower in a large collection: %s", error)
        return False
    return True


def _rebuild(
    settings: IndexSettings,
    generation: int,
    writing: Callable[[int, int], None] | None,
    *,
    keep: Sequence[str] = (),
) -> None:
    with _builder(settings) as builder:
        builder.build(generation, keep=keep, progress=writing)


def _builder(settings: IndexSettings) -> Builder:
    return Builder(settings.data_dir, chroma_url=settings.chroma_url, database_url=settings.database_url)
