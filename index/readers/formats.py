"""Which format a file is in: its content decides, its name only where the content cannot."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import Literal

import regex

from index.errors import ReadError, SkipReason
from index.readers.mail import is_mail
from index.readers.records import parsed

BinaryFormat = Literal[
    "pdf", "picture", "word", "sheets", "slides", "opendocument", "ebook", "richtext", "mail", "outlook"
]
TextFormat = Literal["html", "markdown", "plain", "delimited", "json"]

# (offset, bytes, what it is, what to do). First match counts.
_AS_TEXT = "save it as PDF, DOCX, HTML or text"
_PICTURES: tuple[tuple[int, bytes], ...] = (
    (0, b"\x89PNG\r\n\x1a\n"),
    (0, b"\xff\xd8\xff"),
    (0, b"II*\x00"),
    (0, b"MM\x00*"),
    (8, b"WEBP"),
)
# "BM" may begin a text; its reserved bytes and the size of its header tell a bitmap.
_BITMAP = regex.compile(rb"BM.{4}\0\0\0\0.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", regex.S)
_UNPACK = "unpack it and add the files inside"
_SIGNATURES: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"GIF8", "an image (GIF)", "save it as PNG"),
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
    (0, b"%!PS", "a PostScript file", "convert it to PDF"),
    (0, b"SQLite format 3\x00", "a database", "export the tables you need as text"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_FORMATS: tuple[tuple[str, BinaryFormat], ...] = (
    ("__properties_version1.0", "outlook"),
    ("Workbook", "sheets"),
    ("Book", "sheets"),
)
_RTF = b"{\\rtf"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
# What a zip is, told by the part that only it has.
_ZIP_FORMATS: tuple[tuple[str, BinaryFormat], ...] = (
    ("word/document.xml", "word"),
    ("xl/workbook.xml", "sheets"),
    ("xl/workbook.bin", "sheets"),
    ("ppt/presentation.xml", "slides"),
    ("META-INF/container.xml", "ebook"),
)
_ODF_FORMATS: dict[bytes, BinaryFormat] = {
    b"application/vnd.oasis.opendocument.spreadsheet": "sheets",
    b"application/vnd.oasis.opendocument.text": "opendocument",
    b"application/vnd.oasis.opendocument.presentation": "opendocument",
}
_ODF = "content.xml"
_LONGEST_TYPE = 200
# What other zips hold, told by the part that only they have.
_ZIP_KINDS = ((_ODF, "an OpenDocument file"),)
# Viewers accept rubbish before the header of a PDF, up to here (PDF 1.7, appendix H).
_PDF_WITHIN = 1024
# The header of a mail is looked for in so many bytes.
_MAIL_WITHIN = 20_000

_HTML = regex.compile(
    r"^\s*(?:<\?xml[^>]*>\s*|<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b", regex.I | regex.S
)
_OTHER_XML = regex.compile(r"^\s*<\?xml\b|^\s*<(?:!DOCTYPE|rss|feed|svg|TEI)\b", regex.I)
_TAG = regex.compile(
    r"</?(?:p|div|span|h[1-6]|br|table|ul|ol|li|a|article|section|meta|title)\b[^<>]{0,1000}>", regex.I
)
_HTML_NAMES = frozenset({".html", ".htm", ".xhtml"})
_DELIMITED_NAMES = frozenset({".csv", ".tsv", ".tab"})
_MARKDOWN_NAMES = frozenset({".md", ".markdown", ".mdown", ".mkd"})


def binary_format(data: bytes, name: str) -> BinaryFormat | None:
    """The binary format by content; None for what may be text.

    Raises:
        ReadError: `unsupported`, `encrypted` or `broken` for a binary format that no reader takes.
    """
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return "pdf"
    if data.startswith(_ZIP):
        return _zip_format(data, name)
    if data.startswith(_OLE):
        return _ole(data)
    if data.lstrip(b"\xef\xbb\xbf \r\n").startswith(_RTF):
        return "richtext"
    if is_mail(data[:_MAIL_WITHIN].decode("latin-1").replace("\r\n", "\n")):
        return "mail"
    for offset, signature, what, remedy in _SIGNATURES:
        if data.startswith(signature, offset):
            raise _unsupported(what, remedy)
    return "picture" if _is_picture(data) else None


def _is_picture(data: bytes) -> bool:
    signed = any(data.startswith(sign, offset) for offset, sign in _PICTURES)
    return signed or _BITMAP.match(data) is not None


def text_format(text: str, name: str) -> TextFormat:
    """The format of decoded text. HTML and JSON show themselves; the others differ by name.

    Raises:
        ReadError: `unsupported` for XML that is no web page.
    """
    suffix = PurePosixPath(name.lower()).suffix
    head = text[:4096].lstrip("\ufeff")
    if _HTML.match(head) or (suffix in _HTML_NAMES and _TAG.search(text[:100_000])):
        return "html"
    if _OTHER_XML.match(head):
        raise _unsupported("XML", "save what it shows as HTML, PDF or text")
    if head.lstrip()[:1] in {"{", "["} and parsed(text) is not None:
        return "json"
    if suffix in _DELIMITED_NAMES:
        return "delimited"
    return "markdown" if suffix in _MARKDOWN_NAMES else "plain"


def _unsupported(what: str, remedy: str) -> ReadError:
    return ReadError(SkipReason.UNSUPPORTED, f"it is {what}, which is not read; {remedy}")


def _zip_format(data: bytes, name: str) -> BinaryFormat:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.namelist()
            odf = b""
            if "mimetype" in parts:
                with archive.open("mimetype") as stored:
                    odf = stored.read(_LONGEST_TYPE)
    except (zipfile.BadZipFile, ValueError, RuntimeError, EOFError, OSError, zlib.error) as error:
        # A torn download of a Word file is a damaged document, not an archive.
        if name.lower().endswith(".docx"):
            return "word"
        raise ReadError(
            SkipReason.BROKEN, "it is a damaged zip or Office file; fetch or save it again"
        ) from error
    for part, kind in _ZIP_FORMATS:
        if part in parts:
            return kind
    if odf.strip() in _ODF_FORMATS:
        return _ODF_FORMATS[odf.strip()]
    for sign, what in _ZIP_KINDS:
        if any(part.startswith(sign) for part in parts):
            raise _unsupported(what, _AS_TEXT)
    raise _unsupported("an archive (zip)", _UNPACK)


def _ole(data: bytes) -> BinaryFormat:
    # Office files with a password are OLE containers around the encrypted package.
    if "EncryptedPackage".encode("utf-16-le") in data:
        raise ReadError(
            SkipReason.ENCRYPTED,
            "the Office file is encrypted; open it with its password and save it without one",
        )
    for stream, kind in _OLE_FORMATS:
        if stream.encode("utf-16-le") in data:
            return kind
    raise _unsupported("an Office file from before 2007", "save it as DOCX or PDF")
