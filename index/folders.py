"""What lies in the folders that are indexed: each file with its size and hash, and what could not be looked at."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from index.errors import UsageError
from index.readers import document_files


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file of a folder. `folder` is resolved, `name` the path below it as text.

    What cannot be opened has size 0 and an empty `sha256`, and is reported when it is read; a folder may be among it.
    """

    folder: str
    path: Path
    name: str
    size: int
    sha256: str

    @property
    def key(self) -> tuple[str, str]:
        """What the catalogue knows it by."""
        return self.folder, self.name


def found_files(folders: Sequence[Path]) -> Iterator[FoundFile]:
    """The files of folders that may be documents, by folder and path.

    Raises:
        UsageError: a folder does not exist.
    """
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"{folder} is not a folder: give the folder that holds the documents")
        root = folder.resolve()
        for path in document_files(root):
            yield FoundFile(str(root), path, _name(path.relative_to(root)), *_size_and_hash(path))


class Unopened:
    """The folders among found files: what lies in them is not known, and has not vanished."""

    def __init__(self, found: Sequence[FoundFile]) -> None:
        self._folders = [file for file in found if not file.sha256 and file.path.is_dir()]

    def may_hold(self, key: tuple[str, str]) -> bool:
        """Whether a file that was not found may lie in one of them."""
        folder, name = key
        return any(
            folder == unopened.folder and (unopened.name == "." or name.startswith(f"{unopened.name}/"))
            for unopened in self._folders
        )


def _name(path: Path) -> str:
    """A path as text; bytes that are not UTF-8, which older systems left in file names, become `\\xe9`."""
    return os.fsencode(path.as_posix()).decode("utf-8", "backslashreplace")


def _size_and_hash(path: Path) -> tuple[int, str]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return path.stat().st_size, digest
    except OSError:
        return 0, ""
