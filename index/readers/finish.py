"""From what a reader extracted to a document: one text, checked, with title, source, language and id."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

import regex

from index.errors import ReadError, SkipReason
from index.language.detection import detect
from index.normalise import normalise_line, visible
from index.readers.blocks import LONGEST_SECTION, Block, Extract, Seam, compose
from index.readers.garbled import garbled_share
from index.readers.legacy_fonts import legacy_font
from index.readers.news import NewsPage, names_source, read_news, web_address
from index.readers.shape import shorten
from index.types import Document, Place

# A title fits on one line of a screen; a longer one of the document's own is shortened as well.
_LONGEST_TITLE = 100
_LONGEST_OWN_TITLE = 300
# The end of a first sentence: a terminal mark and white space. A full stop counts only after two letters, the
# last one small, before a capital or a letter without case: not after an initial, "St." is accepted as a
# loss.
_FIRST_SENTENCE = regex.compile(
    r".+?(?:(?:(?![.])\p{STerm})+|(?<=[\p{Ll}\p{Lo}\p{M}]{2})[.])[\p{Pe}\p{Pf}\"']*(?=\s+[^\p{Ll}])"
)
_WORD = regex.compile(r"[\p{L}\p{N}]")
# What programs write for a title when nobody gave one.
_NO_TITLE = regex.compile(
    r"about:\w*|(?:https?|file):\S*|untitled|no title|\(?anonymous\)?|unspecified", regex.I
)
# A name that a person gave to a file holds a word; hashes, numbers and single letters are none.
_IN_NAME = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_HASH = regex.compile(r"(?=.*\d)[0-9a-f]{8,}", regex.I)
_NAME_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]|\p{Lo}")


def finish(extract: Extract, path: str, *, max_garbled_share: float) -> Document:
    """The document of an extract.

    Raises:
        ReadError: `empty` when no word is left, `garbled` when too much of the text is impossible or it is written for
            a font with codes of its own.
    """
    composed = compose(map(_with_source_link, extract.blocks))
    page = read_news(composed.text, composed.marked)
    if not _WORD.search(page.text):
        # A page of replacement characters alone is not empty, it is lost.
        if garbled_share(page.text) > max_garbled_share:
            raise _garbled(1.0)
        raise ReadError(SkipReason.EMPTY, "it holds no text; add its text or remove it")
    font = legacy_font(page.text)
    if font is not None:
        raise ReadError(
            SkipReason.GARBLED,
            f"it is written for the font {font}, not in Unicode; convert it to Unicode first",
        )
    share = garbled_share(page.text)
    if share > max_garbled_share:
        raise _garbled(share)
    title = _title(extract, page, path)
    source_url = page.source_url or web_address(visible(extract.source_url or ""))
    return Document(
        id=document_id(title, source_url, page.text, path=path),
        path=path,
        title=title,
        language=detect(page.text),
        source_url=source_url,
        text=page.text,
        media_type=extract.media_type,
        marked=page.marked,
        places=tuple(_places(composed.seams, page, title)),
        notice=extract.notice,
    )


def _places(seams: Sequence[Seam], page: NewsPage, title: str) -> Iterator[Place]:
    """The ranges of the text that have a page or a section, or were recognised; a section that repeats the title says
    nothing."""
    starts = [page.moved(seam.start) for seam in seams]
    for seam, start, end in zip(seams, starts, [*starts[1:], len(page.text)], strict=True):
        section = None if seam.section == shorten(title, LONGEST_SECTION) else seam.section
        if start < end and (seam.page is not None or section is not None or seam.recognised):
            yield Place(start, end, seam.page, section, seam.recognised)


def document_id(title: str, source_url: str | None, text: str, *, path: str) -> str:
    """The content id of a document: 16 hex digits of SHA-256 over title, source URL and text.

    A title that is only the file's name is no content: a copy under another name is a duplicate.
    """
    title = "" if title == _named(path) else title
    # NUL cannot occur in normalised text, so no two documents share the joined form.
    return hashlib.sha256("\0".join((title, source_url or "", text)).encode()).hexdigest()[:16]


def _garbled(share: float) -> ReadError:
    return ReadError(
        SkipReason.GARBLED,
        f"{share:.0%} of its letters cannot be right, as in PDFs without a usable text layer; "
        "export it again with Unicode fonts or run OCR on it",
    )


def _with_source_link(block: Block) -> Block:
    """A source line that hides its URL behind a name ("Source: The Herald") shows it."""
    if not block.links or web_address(block.text) or not names_source(block.text):
        return block
    address = web_address(block.links[-1])
    return replace(block, text=f"{block.text} {address}") if address else block


def _title(extract: Extract, page: NewsPage, path: str) -> str:
    """The document's own title, else its first heading, else the file's name; the first words for a nameless file."""
    own = normalise_line(extract.title or "")
    if _WORD.search(own) and not _NO_TITLE.fullmatch(own):
        return shorten(own, _LONGEST_OWN_TITLE)
    headings = (normalise_line(b.text) for b in extract.blocks if b.kind == "heading" and b.level)
    heading = next((text for text in headings if _WORD.search(text)), None)
    if heading is not None:
        return shorten(heading, _LONGEST_TITLE)
    words = _IN_NAME.findall(PurePosixPath(normalise_line(path)).stem)
    if any(_NAME_WORD.search(word) and not _HASH.fullmatch(word) for word in words):
        return _named(path)
    return shorten(_first_sentence(page), _LONGEST_TITLE)


def _named(path: str) -> str:
    """The file's name as a title."""
    return shorten(normalise_line(PurePosixPath(path).name), _LONGEST_TITLE)


def _first_sentence(page: NewsPage) -> str:
    """The first sentence of the body; of a text that is all captions, the first line."""
    marked = {s.start for s in page.marked}
    first_line = ""
    position = 0
    for line in page.text.split("\n"):
        start = position + len(line) - len(line.lstrip())
        position += len(line) + 1
        if not _WORD.search(line):
            continue
        first_line = first_line or normalise_line(line)
        if start not in marked:
            body = normalise_line(line)
            match = _FIRST_SENTENCE.match(body)
            return match.group() if match is not None else body
    return first_line
