"""Which format a file is in: its content decides, its name only where the content cannot."""

from __future__ import annotations

import io
import zipfile
from pathlib import PurePosixPath
from typing import Literal

import regex

from index.errors import ReadError, SkipReason

BinaryFormat = Literal["pdf", "word"]
TextFormat = Literal["html", "markdown", "plain"]

# (offset, bytes, what it is, what to do). First match counts.
_AS_TEXT = "save it as PDF, DOCX, HTML or text"
_IMAGE = "run OCR on it and add the text"
_UNPACK = "unpack it and add the files inside"
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "an image (PNG)", _IMAGE),
    (0, b"\xff\xd8\xff", "an image (JPEG)", _IMAGE),
    (0, b"GIF8", "an image (GIF)", _IMAGE),
    (0, b"II*\x00", "an image (TIFF)", _IMAGE),
    (0, b"MM\x00*", "an image (TIFF)", _IMAGE),
    (8, b"WEBP", "an image (WebP)", _IMAGE),
    (4, b"ftyp", "a video, audio or HEIF file", "add its transcript as text"),
    (0, b"ID3", "an audio file", "add its transcript as text"),
    (0, b"OggS", "an audio file", "add its transcript as text"),
    (0, b"\x1aE\xdf\xa3", "a video file", "add its transcript as text"),
    (0, b"\x1f\x8b", "a compressed file (gzip)", _UNPACK),
    (0, b"BZh", "a compressed file (bzip2)", _UNPACK),
    (0, b"\xfd7zXZ\x00", "a compressed file (xz)", _UNPACK),
    (0, b"(\xb5/\xfd", "a compressed file (zstd)", _UNPACK),
    (0, b"7z\xbc\xaf'\x1c", "an archive (7z)", _UNPACK),
    (0, b"Rar!\x1a\x07", "an archive (RAR)", _UNPACK),
    (257, b"ustar", "an archive (tar)", _UNPACK),
    (0, b"{\\rtf", "a Rich Text file", _AS_TEXT),
    (0, b"%!PS", "a PostScript file", "convert it to PDF"),
    (0, b"SQLite format 3\x00", "a database", "export the tables you need as text"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_WORD_PART = "word/document.xml"
# What other zips hold, told by the part that only they have.
_ZIP_KINDS = (
    ("xl/", "a spreadsheet (XLSX)"),
    ("ppt/", "a presentation (PPTX)"),
    ("META-INF/container.xml", "an e-book (EPUB)"),
    ("content.xml", "an OpenDocument file"),
)
# Viewers accept rubbish before the header of a PDF, up to here (PDF 1.7, appendix H).
_PDF_WITHIN = 1024

_HTML = regex.compile(
    r"^\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", regex.I | regex.S
)
_OTHER_XML = regex.compile(r"^\s*<\?xml\b|^\s*<(?:!DOCTYPE|rss|feed|svg|TEI)\b", regex.I)
_TAG = regex.compile(
    r"</?(?:p|div|span|h[1-6]|br|table|ul|ol|li|a|article|section|meta|title)\b[^<>]{0,1000}>", regex.I
)
_HTML_NAMES = frozenset({".html", ".htm", ".xhtml"})
_MARKDOWN_NAMES = frozenset({".md", ".markdown", ".mdown", ".mkd"})


def binary_format(data: bytes, name: str) -> BinaryFormat | None:
    """`pdf` or `word` by content; None for what may be text.

    Raises:
        ReadError: `unsupported`, `encrypted` or `broken` for a binary format that no reader takes.
    """
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    if data.startswith(_ZIP):
        return _zip_format(data, name)
    if data.startswith(_OLE):
        raise _ole(data)
    for offset, signature, what, remedy in _SIGNATURES:
        if data.startswith(signature, offset):
            raise _unsupported(what, remedy)
    return None


def text_format(text: str, name: str) -> TextFormat:
    """The format of decoded text. Only HTML shows itself; Markdown and plain text differ by name.

    Raises:
        ReadError: `unsupported` for XML that is no web page.
    """
    suffix = PurePosixPath(name.lower()).suffix
    head = text[:4096].lstrip("\ufeff")
    if _HTML.match(head) or (suffix in _HTML_NAMES and _TAG.search(text[:100_000])):
        return "html"
    if _OTHER_XML.match(head):
        raise _unsupported("XML", "save what it shows as HTML, PDF or text")
    return "markdown" if suffix in _MARKDOWN_NAMES else "plain"


def _unsupported(what: str, remedy: str) -> ReadError:
    return ReadError(SkipReason.UNSUPPORTED, f"it is {what}, which is not read; {remedy}")


def _zip_format(data: bytes, name: str) -> BinaryFormat:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        # A torn download of a Word file is a damaged document, not an archive.
        if name.lower().endswith(".docx"):
            return "word"
        raise ReadError(
            SkipReason.BROKEN, "it is a damaged zip or Office file; fetch or save it again"
        ) from error
    if _WORD_PART in parts:
        return "word"
    for sign, what in _ZIP_KINDS:
        if any(part.startswith(sign) for part in parts):
            raise _unsupported(what, _AS_TEXT)
    raise _unsupported("an archive (zip)", _UNPACK)


def _ole(data: bytes) -> ReadError:
    # Office files with a password are OLE containers around the encrypted package.
    if "EncryptedPackage".encode("utf-16-le") in data:
        return ReadError(
            SkipReason.ENCRYPTED,
            "the Office file is encrypted; open it with its password and save it without one",
        )
    return _unsupported("an Office file from before 2007", "save it as DOCX or PDF")
