"""A document as HTML: its text with its passages numbered, and what is known about it.

The text is data, made safe as in `ui.answer_html`. A long one comes in parts, cut where passages begin.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from index.catalogue import DocumentInfo
from index.types import Chunk, Document
from rag.links import safe_url, text_fragment
from ui.answer_html import lines, plain, spoken
from ui.names import language_name

PART_CHARACTERS = 60_000
"""Characters of a part; a browser shows so much without a pause."""

_URL_SHOWN = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentView:
    """What is shown of a document.

    Attributes:
        document, info: its text and the rest of it.
        chunks: its passages, in order.
        parallel: (id, language) of its other language versions.
        quoted: start and end of the words to be marked; None: none.
        kept: whether it belongs to a folder of the server and so cannot be deleted here.
        deletable: whether the reader may delete it.
    """

    document: Document
    info: DocumentInfo
    chunks: Sequence[Chunk]
    parallel: Sequence[tuple[str, str]] = ()
    quoted: tuple[int, int] | None = None
    kept: bool = False
    deletable: bool = False


def document_url(document_id: str, *, start: int | None = None, end: int | None = None) -> str:
    """Return the page's own link that opens a document, at the words `start`..`end` of its text if given."""
    at = "" if start is None or end is None else f"&start={start}&end={end}"
    return f"/?document={quote(document_id, safe='')}{at}"


def document_html(view: DocumentView, *, labels: Mapping[str, str], language: str) -> str:
    """Return a document from the part that holds the quoted words on, or from its beginning.

    Args:
        view: the document.
        labels: the page's words in the reader's language.
        language: the reader's.
    """
    parts = part_starts(view)
    first = 0 if view.quoted is None else max(0, bisect_right(parts, view.quoted[0]) - 1)
    info = view.info
    return (
        f'<article class="pd-document" data-document="{plain(info.id)}" data-title="{plain(info.title)}">'
        f'<header><h2 class="pd-name" id="pd-name" tabindex="-1" {spoken(info.language)}>{plain(info.title)}</h2>'
        f"{_facts(view, labels, language)}{_links(view, labels, language)}{_to_the_quote(view, labels)}"
        f"{_deletion(view, labels)}</header>"
        f'<div class="pd-text" {spoken(info.language)}>{part_html(view, first, labels=labels)}</div></article>'
    )


def part_html(view: DocumentView, part: int, *, labels: Mapping[str, str]) -> str:
    """Return one part of the text, from 0, with the buttons that bring its neighbours; empty beyond the last."""
    starts = part_starts(view)
    if not 0 <= part < len(starts):
        return ""
    start = starts[part]
    end = starts[part + 1] if part + 1 < len(starts) else len(view.document.text)
    before = _bring(part - 1, labels["documents_earlier"]) if part else ""
    after = _bring(part + 1, labels["documents_more"]) if part + 1 < len(starts) else ""
    return before + "".join(_Text(view, labels).lines(start, end)) + after


def part_starts(view: DocumentView) -> list[int]:
    """Return where the parts of the text begin, in order, the first at 0."""
    starts = [0]
    for chunk in view.chunks:
        if chunk.start - starts[-1] >= PART_CHARACTERS:
            starts.append(chunk.start)
    return starts


def source_html(url: str | None, words: str | None, *, label: str) -> str:
    """Return a link to a source, at some of its words if given; a URL that is no safe link as text, none as "".

    The link is named by the host of the URL; `label` says to those who cannot see it what it is for.
    """
    if not url:
        return ""
    shown = url.removeprefix("https://").removeprefix("http://").removeprefix("www.")
    shown = shown if len(shown) <= _URL_SHOWN else shown[: _URL_SHOWN - 1] + "…"
    target = safe_url(url)
    if target is None:
        return f'<span class="pd-source" dir="ltr">{plain(shown)}</span>'
    at = "" if words is None or "#" in target else f"#{text_fragment(words)}"
    return (
        f'<a class="pd-source" href="{plain(target + at)}" target="_blank" rel="noopener noreferrer nofollow" '
        f'title="{plain(url)}"><span class="pd-unseen">{plain(label)}: </span>'
        f'<span dir="ltr">{plain(shown)}</span><span aria-hidden="true"> ↗</span></a>'
    )


def time_html(moment: str) -> str:
    """Return an ISO 8601 time as an element that the page's script words in the reader's language and zone."""
    return f'<time datetime="{plain(moment)}">{plain(moment[:10])}</time>'


# -- above the text


def _facts(view: DocumentView, labels: Mapping[str, str], language: str) -> str:
    info = view.info
    facts = [
        (labels["documents_language"], plain(language_name(info.language, shown_in=language))),
        (labels["documents_added"], time_html(info.added_at)),
        (labels["documents_passages"], f'<data value="{info.chunks}">{info.chunks}</data>'),
        (labels["documents_file"], f'<bdi class="pd-path">{plain(info.path)}</bdi>'),
    ]
    return (
        '<dl class="pd-facts">'
        + "".join(f"<div><dt>{plain(name)}</dt><dd>{value}</dd></div>" for name, value in facts)
        + "</dl>"
    )


def _links(view: DocumentView, labels: Mapping[str, str], language: str) -> str:
    info = view.info
    words = None if view.quoted is None else view.document.text[slice(*view.quoted)]
    source = source_html(info.source_url, words, label=labels["open"])
    others = " ".join(
        f'<a class="pd-version" href="{plain(document_url(other))}">'
        f"{plain(language_name(code, shown_in=language))}</a>"
        for other, code in view.parallel
    )
    versions = f"<span>{plain(labels['documents_versions'])}</span> {others}" if others else ""
    return "".join(f'<p class="pd-links">{line}</p>' for line in (source, versions) if line)


def _to_the_quote(view: DocumentView, labels: Mapping[str, str]) -> str:
    if view.quoted is None:
        return ""
    number = max(1, bisect_right([chunk.start for chunk in view.chunks], view.quoted[0]))
    said = labels["documents_quote"].format(number=number)
    return f'<p class="pd-links"><a class="pd-to-quote" href="#pd-quote">{plain(said)} ↓</a></p>'


def _deletion(view: DocumentView, labels: Mapping[str, str]) -> str:
    if view.kept:
        return f'<p class="pd-hint">{plain(labels["documents_kept"])}</p>'
    if not view.deletable:
        return ""
    return (
        f'<p class="pd-links"><button type="button" class="pd-button pd-delete" data-delete="{plain(view.info.id)}"'
        f' data-title="{plain(view.info.title)}">{plain(labels["documents_delete"])}</button></p>'
    )


def _bring(part: int, label: str) -> str:
    return f'<button type="button" class="pd-button pd-part" data-part="{part}">{plain(label)}</button>'


# -- the text


class _Text:
    """Writes the lines of a document, cut where passages and the quoted words begin and end."""

    def __init__(self, view: DocumentView, labels: Mapping[str, str]) -> None:
        self._document = view.document
        self._chunks = view.chunks
        self._quoted = view.quoted or (0, 0)
        self._labels = labels
        self._starts = [chunk.start for chunk in view.chunks]
        self._cuts = sorted({*self._starts, *(chunk.end for chunk in view.chunks), *self._quoted})
        self._marks = [span.start for span in view.document.marked]
        self._marked = False  # whether the quote has begun

    def lines(self, start: int, end: int) -> Iterator[str]:
        """The lines between two offsets, each an element of its own."""
        position = start
        for line in self._document.text[start:end].split("\n"):
            if line.strip():
                tag, kind = self._kind(position)
                yield f"<{tag}{kind}>{''.join(self._pieces(position, position + len(line)))}</{tag}>"
            position += len(line) + 1

    def _kind(self, start: int) -> tuple[str, str]:
        """The element of a line that starts here, and its class."""
        at = bisect_right(self._marks, start) - 1
        if at < 0 or start >= self._document.marked[at].end:
            return "p", ""
        kind = self._document.marked[at].kind
        return ("h3", "") if kind == "heading" else ("p", f' class="pd-{kind}"')

    def _pieces(self, start: int, end: int) -> Iterator[str]:
        inside = self._cuts[bisect_right(self._cuts, start) : bisect_right(self._cuts, end - 1)]
        for first, last in zip((start, *inside), (*inside, end), strict=True):
            yield self._piece(first, last)

    def _piece(self, start: int, end: int) -> str:
        text = self._document.text[start:end]
        shown = lines(text)
        if self._quoted[0] <= start < self._quoted[1] and text.strip():
            name = "" if self._marked else ' id="pd-quote" tabindex="-1"'
            self._marked = True
            shown = f"<mark{name}>{shown}</mark>"
        # The last passage that holds it: where two overlap, the later one begins.
        at = bisect_right(self._starts, start) - 1
        if at < 0 or start >= self._chunks[at].end:
            return shown
        chunk = self._chunks[at]
        number = self._number(at + 1) if chunk.start == start else ""
        other = f" {spoken(chunk.language)}" if chunk.language != self._document.language else ""
        return f'<span class="pd-passage pd-{"odd" if at % 2 else "even"}"{other}>{number}{shown}</span>'

    def _number(self, number: int) -> str:
        said = plain(self._labels["documents_passage"].format(number=number))
        return (
            f'<span class="pd-number" id="pd-passage-{number}" title="{said}">'
            f'<span class="pd-unseen">{said}. </span><span aria-hidden="true">{number}</span></span>'
        )
