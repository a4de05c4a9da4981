"""Files to documents: one reader per format behind `read_document`.

To add a format: a module here that makes an `Extract` of it, a name in `formats.py`, a row in a table below.
The readers import their libraries when first used, so that importing this package is quick.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from index.errors import ReadError, SkipReason, UsageError
from index.readers.blocks import Extract
from index.readers.ebook import read_ebook
from index.readers.encoding import decode
from index.readers.finish import document_id, finish
from index.readers.formats import BinaryFormat, TextFormat, binary_format, text_format
from index.readers.html import read_html
from index.readers.mail import ReadPart, read_mail, read_outlook
from index.readers.markdown import read_markdown
from index.readers.opendocument import read_opendocument
from index.readers.pdf import read_pdf
from index.readers.picture import read_picture
from index.readers.plain import read_plain
from index.readers.recognition import OCR_SECONDS, Recogniser
from index.readers.records import read_records
from index.readers.richtext import read_richtext
from index.readers.sheets import read_delimited, read_sheets
from index.readers.slides import read_slides
from index.readers.word import read_word
from index.types import Document

__all__ = ["READERS_VERSION", "document_files", "document_id", "read_bytes", "read_document"]

READERS_VERSION = 3
"""Raised when the same file gives another text, title or place; an index made with another version is rebuilt."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Limits:
    """What a reader may use up, for the parts of a file together. `max_bytes` is for what an archive unpacks to."""

    max_bytes: int
    recogniser: Recogniser


_TEXT_READERS: Mapping[TextFormat, Callable[[str], Extract]] = {
    "html": read_html,
    "markdown": read_markdown,
    "plain": read_plain,
    "delimited": read_delimited,
    "json": read_records,
}
_BINARY_READERS: Mapping[BinaryFormat, Callable[[bytes, _Limits], Extract]] = {
    "pdf": lambda data, limits: read_pdf(data, limits.recogniser),
    "picture": lambda data, limits: read_picture(data, limits.recogniser),
    "word": lambda data, limits: read_word(data, max_bytes=limits.max_bytes),
    "sheets": lambda data, limits: read_sheets(data, max_bytes=limits.max_bytes),
    "slides": lambda data, limits: read_slides(data, max_bytes=limits.max_bytes),
    "opendocument": lambda data, limits: read_opendocument(data, max_bytes=limits.max_bytes),
    "ebook": lambda data, limits: read_ebook(data, max_bytes=limits.max_bytes),
    "richtext": lambda data, limits: read_richtext(data),
    "mail": lambda data, limits: read_mail(data, read_part=_part_reader(limits)),
    "outlook": lambda data, limits: read_outlook(data, read_part=_part_reader(limits)),
}
_README = "README.md"
# A mail in a mail is read; one that holds itself ever again is not.
_DEEPEST_MAIL = 3


def document_files(folder: Path) -> list[Path]:
    """The files of `folder` and its subfolders that may be documents, sorted by path.

    Left out: hidden files and folders (a leading dot, or `~$`, Word's lock files), `README.md` directly in
    `folder` (it describes the documents), and links that lead out of `folder` or to folders. Links to nowhere
    and folders that cannot be opened are listed, so that reading them reports them.

    Raises:
        UsageError: `folder` is no folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; give the folder that holds the documents")
    root = folder.resolve()
    found = [path for path in _walk(folder) if _inside(path, root) and path != folder / _README]
    return sorted(found, key=lambda path: path.relative_to(folder).parts)


def _walk(folder: Path) -> Iterator[Path]:
    unopened: list[OSError] = []
    # Links to folders are not followed: a loop would never end, and what lies inside is found anyway.
    for parent, folders, files in os.walk(folder, onerror=unopened.append, followlinks=False):
        folders[:] = [name for name in folders if not _hidden(name)]
        yield from (Path(parent, name) for name in files if not _hidden(name))
    # A folder that cannot be opened must be reported: its documents have not vanished.
    yield from (Path(os.fsdecode(error.filename)) for error in unopened)


def _hidden(name: str) -> bool:
    return name.startswith((".", "~$"))


def _inside(path: Path, root: Path) -> bool:
    if not path.is_symlink():
        return True
    try:
        target = path.resolve()
    except (OSError, RuntimeError):
        # A link to itself: reading reports it.
        return True
    if target.is_dir() or not target.is_relative_to(root):
        _log.info("%s is a link out of the folder or to a folder and is not followed", path)
        return False
    return True


def read_document(
    path: Path,
    *,
    relative_to: Path,
    max_bytes: int,
    max_garbled_share: float,
    ocr_seconds: float = OCR_SECONDS,
) -> Document:
    """The document in the file at `path`, which lies below the folder `relative_to`.

    Args:
        max_bytes: larger files are refused before they are read.
        max_garbled_share: texts with a larger `garbled_share` are refused, in [0, 1].
        ocr_seconds: how long the recognition of pictures of text may take; 0: there is none.

    Raises:
        ReadError: with the reason why the file is no document, and what to do.
        UsageError: `path` does not lie below `relative_to`.
    """
    if not path.is_relative_to(relative_to):
        raise UsageError(f"{path} does not lie in {relative_to}; give a folder that holds the file")
    # Names are bytes on Linux; one that is not UTF-8 must still fit into a report and a database.
    name = os.fsencode(path.relative_to(relative_to).as_posix()).decode("utf-8", "backslashreplace")
    data = _read_file(path, max_bytes)
    return read_bytes(
        data, name, max_bytes=max_bytes, max_garbled_share=max_garbled_share, ocr_seconds=ocr_seconds
    )


def _read_file(path: Path, max_bytes: int) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise ReadError(SkipReason.UNREADABLE, "the folder cannot be opened; check its permissions")
        if not stat.S_ISREG(status.st_mode):
            # Opening a pipe would wait for ever.
            raise ReadError(SkipReason.UNSUPPORTED, "it is not a regular file; remove it from the folder")
        if status.st_size > max_bytes:
            raise _too_large(status.st_size, max_bytes)
        with path.open("rb") as file:
            # One byte more than allowed shows a file that grew since.
            return file.read(max_bytes + 1)
    except FileNotFoundError as error:
        what = (
            "it is a link to a file that does not exist"
            if path.is_symlink()
            else "it does not exist any more"
        )
        raise ReadError(SkipReason.UNREADABLE, f"{what}; remove it or restore the file") from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise ReadError(
            SkipReason.UNREADABLE, f"it cannot be read ({reason}); check its permissions"
        ) from error


def _too_large(size: int, max_bytes: int) -> ReadError:
    return ReadError(
        SkipReason.TOO_LARGE,
        f"it has {size / 1e6:,.1f} MB, more than the {max_bytes / 1e6:g} MB allowed; "
        "split it or raise RAG_MAX_FILE_MB",
    )


def read_bytes(
    data: bytes, name: str, *, max_bytes: int, max_garbled_share: float, ocr_seconds: float = OCR_SECONDS
) -> Document:
    """The document in `data`, as `read_document`; `name` becomes its path and helps to tell its format.

    Raises:
        ReadError: with the reason why it is no document, and what to do.
    """
    if len(data) > max_bytes:
        raise _too_large(len(data), max_bytes)
    if not data.strip():
        raise ReadError(SkipReason.EMPTY, "it is empty; add its text or remove it")
    extract = _extract(data, name, _Limits(max_bytes, Recogniser(ocr_seconds)))
    return finish(extract, name, max_garbled_share=max_garbled_share)


def _part_reader(limits: _Limits, depth: int = 1) -> ReadPart:
    """Reads the attachments of a mail, with theirs."""

    def read_part(data: bytes, name: str) -> Extract:
        binary = binary_format(data, name)
        if binary in {"mail", "outlook"}:
            if depth >= _DEEPEST_MAIL:
                raise ReadError(SkipReason.UNSUPPORTED, "it lies in too many mails; add it by itself")
            read = read_mail if binary == "mail" else read_outlook
            return read(data, read_part=_part_reader(limits, depth + 1))
        return _extract(data, name, limits)

    return read_part


def _extract(data: bytes, name: str, limits: _Limits) -> Extract:
    binary = binary_format(data, name)
    if binary is not None:
        return _BINARY_READERS[binary](data, limits)
    text = decode(data)
    return _TEXT_READERS[text_format(text, name)](text)
