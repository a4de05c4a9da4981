"""Writes a version from the catalogue, checks it and puts it into service: `python -m index.vectors.build`.

A process of its own, because Chroma's writing calls hold the interpreter and a torn index can end the
process: the one that answers questions risks neither. Interrupted at any point it leaves the old version in
service; what it wrote is deleted by the next build.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np
from pydantic import SecretStr

from index.catalogue import Catalogue
from index.catalogue.records import SPACES
from index.errors import IndexDamaged, PolyciteError, WorkError
from index.settings import IndexSettings
from index.vectors import health, pointer
from index.vectors.home import Home
from index.vectors.pointer import Coverage, Pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from numpy.typing import NDArray

    from index.catalogue import CatalogueReader, Space
    from index.vectors.protocol import VectorIndex, VectorStore

    Progress = Callable[[int, int], None]
    """Called with the rows written so far and in all, both spaces together."""

LEAVE_SECONDS = 3.0
"""How long the version that was in service is left to the searches of other processes that began on it."""

SAMPLES = 64
"""Rows of each space that have to find themselves before a version goes into service."""

LOWEST_SELF_SCORE = 0.999
LEAST_SELF_FOUND = 0.95  # of the samples: HNSW may miss a row, a torn or misplaced graph misses most

LOCK_NAME = "build.lock"
_LOCK_SECONDS = 60.0  # a build whose parent is gone ends at its next batch, within seconds


@dataclass(slots=True)
class _Source:
    """The rows of a space as a store wants them, noting every so many to be asked for later."""

    reader: CatalogueReader
    space: Space
    upto: int
    rows: int
    moved: Callable[[int], None]
    samples: list[NDArray[np.float32]] = field(default_factory=list)

    def batches(self) -> Iterator[tuple[Sequence[str], NDArray[np.float32]]]:
        step, seen = max(1, self.rows // SAMPLES), 0
        for block in self.reader.blocks(self.space, upto=self.upto):
            first = -seen % step
            self.samples.extend(np.array(row) for row in block.vectors[first::step])
            yield [row.id for row in block.rows], block.vectors
            seen += len(block.rows)
            self.moved(len(block.rows))


def build(
    data_dir: Path,
    *,
    generation: int,
    chroma_url: str | None = None,
    database_url: SecretStr | None = None,
    keep: Collection[str] = (),
    progress: Progress | None = None,
) -> Pointer:
    """Write, check and put into service a version with all rows of a generation; returns its pointer.

    Other versions are deleted, but for the one in service until the switch and those in `keep`. One build at
    a time: one that a killed process left behind would delete what this one writes, so its end is waited for.
    In the process that answers, use `index.vectors.builder`.

    Raises:
        WorkError: the generation is gone, the store cannot be written, or another build does not end.
        IndexDamaged: the new version fails its check; the old one stays in service.
    """
    settings = IndexSettings.model_construct(data_dir=data_dir, database_url=database_url)
    with ExitStack() as stack:
        stack.enter_context(_alone(data_dir))
        catalogue = stack.enter_context(Catalogue.configured(settings))
        stack.enter_context(catalogue.turn("vectors", purpose="building vectors", wait=_LOCK_SECONDS))
        home = Home(data_dir, chroma_url, catalogue)
        store = stack.enter_context(home.store())
        found = next((g for g in catalogue.generations() if g.id == generation), None)
        if found is None:
            raise WorkError(f"generation {generation} is gone: run `rag index` again")
        current = home.pointer()
        in_service = {current.version} if current is not None else set()
        _drop_others(store, in_service | set(keep))
        version = f"v{secrets.token_hex(6)}"
        try:
            sources = _write(store, version, catalogue.reader(found), progress)
            coverage = _checked(store, version, sources)
        except BaseException:
            store.drop(version)
            raise
        if chroma_url is None:
            _sync(pointer.folder(data_dir) / version)
        made = Pointer(version=version, store=home.store_name, generation=generation, **coverage)
        home.point(made)
        if home.shared and current is not None:
            time.sleep(LEAVE_SECONDS)
        _drop_others(store, {version} | set(keep))
    return made


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Hold the lock of builds; the system lets go of it when a process ends, however that ends."""
    path = pointer.folder(data_dir) / LOCK_NAME
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = filelock.FileLock(path, timeout=_LOCK_SECONDS, mode=0o600)
        lock.acquire()
    except filelock.Timeout as error:
        raise WorkError(
            "another process is building the vectors: run `rag index` again when it is done"
        ) from error
    except (OSError, NotImplementedError) as error:
        raise WorkError(f"{path} cannot be used ({error}): check the disk and its rights") from error
    try:
        yield
    finally:
        lock.release()


def needed(home: Home, reader: CatalogueReader, *, share: float, fewest: int = 0) -> str | None:
    """Return why a new version should be built, None when the one in service will do.

    `share`: of the rows, newer or deleted since the version was made, above which it will not; up to `fewest` of
    them it will in any case.

    Raises:
        IndexUnreachable: a server that holds it does not answer.
    """
    current = home.pointer()
    if current is None:
        return "there is no version yet"
    if current.generation != reader.generation or current.store != home.store_name:
        return "the version in service belongs to another index or store"
    fault = _fault(home, current)
    if fault is not None:
        return fault
    for space in SPACES:
        coverage = current.coverage(space)
        rows = reader.row_count(space)
        covered = reader.row_count(space, upto=coverage.upto)
        moved = (rows - covered) + max(0, coverage.count - covered)
        if moved > max(share * max(rows, 1), fewest):
            return f"{moved} of {rows} {space} are newer or deleted since"
    return None


def _fault(home: Home, current: Pointer) -> str | None:
    """What is wrong with the version in service, None when nothing is."""
    if home.chroma_url is None:
        faults = health.check_version(pointer.folder(home.data_dir) / current.version)
        return f"the version in service is damaged: {faults[0]}" if faults else None
    with home.store() as store:
        if current.version not in store.versions():
            return f"the Chroma server does not have version {current.version} any more"
    return None


def _write(
    store: VectorStore, version: str, reader: CatalogueReader, progress: Progress | None
) -> dict[Space, _Source]:
    rows = {space: reader.row_count(space) for space in SPACES}
    done = 0

    def moved(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done, sum(rows.values()))

    sources: dict[Space, _Source] = {}
    for space in SPACES:
        source = _Source(reader, space, upto=reader.last_row(space), rows=rows[space], moved=moved)
        written = store.write(version, space, source.batches(), dimension=reader.dimension, rows=source.rows)
        source.rows = written
        sources[space] = source
    return sources


def _checked(store: VectorStore, version: str, sources: dict[Space, _Source]) -> dict[str, Coverage]:
    """Open a version as a search would, and return what it covers if it holds what was written."""
    index = store.open(version)
    try:
        for space, source in sources.items():
            _check(index, space, source, version)
    finally:
        index.close()
    return {space: Coverage(count=source.rows, upto=source.upto) for space, source in sources.items()}


def _check(index: VectorIndex, space: Space, source: _Source, version: str) -> None:
    if index.count(space) != source.rows:
        raise IndexDamaged(
            f"version {version} holds {index.count(space)} {space} of {source.rows}: run `rag index` again"
        )
    if not source.samples:
        return
    answers = index.search(space, np.stack(source.samples), top_k=1)
    found = sum(bool(matches) and matches[0].score >= LOWEST_SELF_SCORE for matches in answers)
    if found < LEAST_SELF_FOUND * len(answers):
        raise IndexDamaged(
            f"version {version} finds {found} of {len(answers)} {space} that it holds: run `rag index` again"
        )


def _drop_others(store: VectorStore, keep: Collection[str]) -> None:
    for version in store.versions():
        if version not in keep:
            store.drop(version)


def _sync(folder: Path) -> None:
    """Make a version's files durable before anything points to them."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    for path in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
        pointer.sync_directory(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `build` from a command line.

    What to build comes as a line of JSON on stdin unless `--generation` says it; then, too, Chroma is imported first.
    Lines "done rows" on stdout, then the pointer as a line of JSON; one line on stderr if it fails.
    """
    parser = argparse.ArgumentParser(prog="python -m index.vectors.build", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--generation", type=int)
    parser.add_argument("--chroma-url")
    parser.add_argument(
        "--parent", type=int, help="stop when this process, which asked for the build, is gone"
    )
    options = parser.parse_args(arguments)
    order = {"generation": options.generation} if options.generation is not None else _ordered()
    if order is None:
        return 0

    def progress(done: int, rows: int) -> None:
        if options.parent is not None and os.getppid() != options.parent:
            raise WorkError("the process that asked for this build is gone")
        sys.stdout.write(f"{done} {rows}\n")
        sys.stdout.flush()

    url = order.get("database_url")
    try:
        made = build(
            options.data_dir,
            generation=order["generation"],
            chroma_url=options.chroma_url,
            database_url=None if url is None else SecretStr(url),
            keep=order.get("keep", ()),
            progress=progress,
        )
        sys.stdout.write(f"{pointer.dumped(made)}\n")
        sys.stdout.flush()
    except PolyciteError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except BrokenPipeError:
        return 1
    return 0


def _ordered() -> dict[str, Any] | None:
    """What to build, once the process that started this one knows it; None when it asks for nothing."""
    import chromadb  # noqa: F401 - imported while there is nothing else to do

    line = sys.stdin.readline()
    return json.loads(line) if line.strip() else None


if __name__ == "__main__":
    sys.exit(main())
