"""A backup of a data directory in one file, and back: `rag backup`, `rag restore`.

The file is a tar archive of what cannot be made again: the catalogue, by SQLite's own backup, so that a server may go
on; uploaded files, those that wait too; and what the caller names. `manifest.json`, its last entry, has size and
SHA-256 of each. Models and the vectors for search are made again from these.

What arrives while a backup is taken is in it or not, each file as a whole. A file may be moved meanwhile, from where it
waits to where it stays, so those that wait are read first; `index.uploads` brings the two together again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from index.catalogue.copies import copy_catalogue, move_folder
from index.catalogue.sqlite_file import FILE_NAME
from index.errors import IndexDamaged, UsageError, WorkError
from index.settings import IndexSettings
from index.uploads import INCOMING, UPLOADS, sync_directory, upload_folder

_FORMAT = 1
_MANIFEST = "manifest.json"
_BLOCK = 1 << 20
_IN_FOLDER = re.compile(rf"(?:{UPLOADS}/[^/]+|{INCOMING}/[^/]+/[^/]+)")
# What belongs to an index and is made anew for another one.
_REPLACED = (f"{FILE_NAME}-wal", f"{FILE_NAME}-shm", UPLOADS, INCOMING, "chroma")


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds: files and bytes, and when it was taken (ISO 8601, UTC)."""

    files: int
    size: int
    created: str


def backup(settings: IndexSettings, target: Path, *, also: Sequence[str] = ()) -> Backup:
    """Write a backup of the data directory to a new file.

    Args:
        settings: where the data lies.
        target: the file; one that is there is replaced once the new one is whole.
        also: names of further files in the data directory, there or not.

    Raises:
        UsageError: the catalogue is PostgreSQL's.
        IndexMissing: nothing is indexed.
        WorkError: the data cannot be read, or the file cannot be written.
    """
    _refuse_shared(settings, "back it up with pg_dump, and the folder RAG_SHARED_DIR by a copy")
    draft = target.with_name(f"{target.name}.tmp")
    copy = target.with_name(f"{target.name}.catalogue.tmp")
    try:
        # Of people's documents: for the eyes of its owner alone.
        for path in (draft, copy):
            path.unlink(missing_ok=True)
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        copy_catalogue(settings.data_dir, copy)
        with draft.open("wb") as file:
            made = _write(settings, file, copy, also)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(target)
        sync_directory(target.resolve().parent)
    except OSError as error:
        raise WorkError(
            f"the backup {target} cannot be written ({error.strerror or error}): free some space "
            "there, or give another place"
        ) from error
    finally:
        draft.unlink(missing_ok=True)
        copy.unlink(missing_ok=True)
    return made


def _write(settings: IndexSettings, file: BinaryIO, catalogue: Path, also: Sequence[str]) -> Backup:
    listed: dict[str, dict[str, Any]] = {}
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in [(FILE_NAME, catalogue), *_files(settings.data_dir, also)]:
            try:
                with path.open("rb") as source:
                    listed[name] = _add(archive, name, source)
            except FileNotFoundError:  # deleted, or moved to where it is read later
                continue
        created = datetime.now(UTC).isoformat(timespec="seconds")
        told = {
            "format": _FORMAT,
            "created": created,
            "uploads": str(upload_folder(settings)),
            "files": listed,
        }
        content = json.dumps(told, ensure_ascii=False).encode()
        entry = tarfile.TarInfo(_MANIFEST)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return Backup(len(listed), sum(each["size"] for each in listed.values()), created)


def _files(data_dir: Path, also: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Names in the archive, and where the files lie; `uploads` is looked through when all of `incoming` was read."""
    for name in also:
        yield name, data_dir / name
    for folder in (INCOMING, UPLOADS):
        for path in sorted((data_dir / folder).rglob("*")):
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(data_dir).as_posix(), path


def _add(archive: tarfile.TarFile, name: str, source: BinaryIO) -> dict[str, Any]:
    size = os.fstat(source.fileno()).st_size
    digest = hashlib.sha256()

    class Hashed:
        def read(self, count: int) -> bytes:
            block = source.read(count)
            digest.update(block)
            return block

    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = size, 0o600
    archive.addfile(entry, Hashed())  # type: ignore[arg-type] # it reads, which is all that is asked
    return {"size": size, "sha256": digest.hexdigest()}


# -- and back


def restore(
    settings: IndexSettings, source: Path, *, also: Sequence[str] = (), replace: bool = False
) -> Backup:
    """Bring a data directory, which the caller owns, to what a backup holds; what was there is kept beside it.

    Args:
        settings: where the data lies; it may be another place than the backup's.
        source: what `backup` wrote.
        also: the names that `backup` was given.
        replace: whether an index may be there already.

    Raises:
        UsageError: there is an index already, or the catalogue is PostgreSQL's.
        IndexDamaged: the file is no whole backup; the data directory is as before.
        WorkError: it cannot be read, or the data directory cannot be written.
    """
    _refuse_shared(settings, "restore it with pg_restore")
    data_dir = settings.data_dir
    if not replace and (data_dir / FILE_NAME).exists():
        raise UsageError(
            f"{data_dir} holds an index already: set RAG_DATA_DIR to an empty folder, or give --replace"
        )
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    draft = data_dir / f"restoring-{stamp}"
    try:
        draft.mkdir(mode=0o700, parents=True)
        told = _unpacked(source, draft, also)
        move_folder(draft / FILE_NAME, before=told["uploads"], after=str(upload_folder(settings)))
        _swap(data_dir, draft, data_dir / f"before-restore-{stamp}", [FILE_NAME, *also, *_REPLACED])
        sync_directory(data_dir)
    except OSError as error:
        raise WorkError(
            f"{source} cannot be restored to {data_dir} ({error.strerror or error}): check the disk "
            "and its rights"
        ) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    listed = told["files"]
    return Backup(len(listed), sum(each["size"] for each in listed.values()), told["created"])


def _unpacked(source: Path, draft: Path, also: Sequence[str]) -> dict[str, Any]:
    """The manifest, once every file lies in `draft` as it says."""
    allowed = {FILE_NAME, *also}
    found: dict[str, dict[str, Any]] = {}
    told: dict[str, Any] | None = None
    try:
        with tarfile.open(source, "r:") as archive:
            for entry in archive:
                content = archive.extractfile(entry) if entry.isfile() else None
                if content is None or ".." in Path(entry.name).parts:
                    raise _damaged(source, f"{entry.name!r} is none of its files")
                if entry.name == _MANIFEST:
                    told = json.load(content)
                elif entry.name in allowed or _IN_FOLDER.fullmatch(entry.name):
                    found[entry.name] = _extracted(content, draft / entry.name)
                else:
                    raise _damaged(source, f"{entry.name!r} is none of its files")
    except (tarfile.TarError, ValueError, EOFError) as error:
        raise _damaged(source, str(error)) from error
    if told is None or told.get("format") != _FORMAT:
        raise _damaged(source, "its end is missing, or it is of another version")
    wrong = [name for name, each in told["files"].items() if found.get(name) != each]
    if wrong or FILE_NAME not in found:
        raise _damaged(source, f"{(wrong or [FILE_NAME])[0]} is not as it was written")
    return told


def _extracted(content: Any, target: Path) -> dict[str, Any]:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    digest, size = hashlib.sha256(), 0
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while block := content.read(_BLOCK):
            digest.update(block)
            size += file.write(block)
        file.flush()
        os.fsync(file.fileno())
    return {"size": size, "sha256": digest.hexdigest()}


def _swap(data_dir: Path, draft: Path, kept: Path, names: Sequence[str]) -> None:
    """Put what lies in `draft` in place, and what was there into `kept`; the catalogue comes last."""
    for name in reversed(names):
        if os.path.lexists(data_dir / name):
            kept.mkdir(mode=0o700, exist_ok=True)
            (data_dir / name).rename(kept / name)
        if (draft / name).exists():
            (draft / name).rename(data_dir / name)


def _damaged(source: Path, why: str) -> IndexDamaged:
    return IndexDamaged(f"{source} is no whole backup ({why}): take another one")


def _refuse_shared(settings: IndexSettings, how: str) -> None:
    if settings.database_url is not None:
        raise UsageError(f"the catalogue lies in PostgreSQL: {how} (docs/operation.md)")
