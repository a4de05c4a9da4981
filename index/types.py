"""The frozen types of the writing side: Document -> Sentence and Chunk -> Match.

Offsets everywhere count Unicode code points of `Document.text`, the normalised text, start included
and end excluded, so that `document.text[x.start:x.end] == x.text` for every span made here.
Languages are ISO 639-1 codes ("bn"), "und" when no library can tell.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

UNDETERMINED = "und"

SentenceKind = Literal["body", "caption", "heading", "row", "note"]
"""`row`: a row of a table or a field of a form, with the names of its columns; `note`: a footnote, a running header or
footer, a speaker's note."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points of a document's text, with what it is."""

    start: int
    end: int
    kind: SentenceKind


@dataclass(frozen=True, slots=True)
class Place:
    """Where a range of a document's text stands in its file.

    Args:
        start, end: code points, end excluded.
        page: of a PDF, slide of a presentation; from 1, None where the file has none.
        section: the heading over it, or the name of its sheet; None where there is none.
        recognised: it was read off a picture (OCR), and may differ from it by a letter.
    """

    start: int
    end: int
    page: int | None = None
    section: str | None = None
    recognised: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """One file in one language, read and normalised.

    `id` is the first 16 hex digits of SHA-256 over title, source URL and text: the same content has the same
    id wherever the file lies. `path` is the POSIX path relative to the indexed folder. `marked` lists
    the spans that are not body text (captions, headings), in order, without overlap; a span of rows has one a line.
    `places` say where the text stands, in order, without overlap; text outside them has neither page nor section.
    `notice` says what of the file could not be read; it is not stored with the document.
    """

    id: str
    path: str
    title: str
    language: str
    source_url: str | None
    text: str
    media_type: str
    marked: tuple[Span, ...] = field(default=())
    places: tuple[Place, ...] = field(default=())
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a document. `ordinal` counts from 0 in reading order within the document."""

    id: str
    document_id: str
    ordinal: int
    start: int
    end: int
    text: str
    language: str
    kind: SentenceKind


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of whole sentences: `first`..`last` are the ordinals of its sentences, both included."""

    id: str
    document_id: str
    ordinal: int
    start: int
    end: int
    text: str
    language: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Match:
    """A search result: the id of a chunk or sentence and its score; larger is better.

    Dense scores are cosines in [-1, 1]; lexical scores are BM25 values >= 0.
    """

    id: str
    score: float


def place_at(places: Sequence[Place], offset: int) -> Place | None:
    """The place that holds a code point; `places` are in order."""
    at = bisect_right(places, offset, key=lambda place: place.start) - 1
    return places[at] if at >= 0 and offset < places[at].end else None


def span_id(document_id: str, start: int, end: int) -> str:
    """The id of a chunk or sentence: its document's content id and its offsets."""
    return f"{document_id}:{start}:{end}"
