"""What tools give as text: an answer with its sources below, passages, lists, a document.

What comes from documents stands in lines that begin with a marker or an indent: none of their words begins a line of
ours, except in `read`, whose text is the document's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from rag.links import safe_url

if TYPE_CHECKING:
    from rag.answer import Answer, Citation, Found
    from rag.api.document_schemas import DocumentsOut


class Sourced(Protocol):
    """What comes from a document: a citation, a passage, the document."""

    @property
    def source_url(self) -> str | None: ...
    @property
    def title(self) -> str: ...
    @property
    def language(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Source:
    """Where a document comes from: an http or https address."""

    url: str
    title: str
    language: str


def sources(found: Iterable[Sourced]) -> tuple[Source, ...]:
    """Return the web addresses of what was found, each once, in their order; what has none is left out."""
    seen: dict[str, Source] = {}
    for each in found:
        url = safe_url(each.source_url)
        if url is not None:
            seen.setdefault(url, Source(url, _line(each.title), each.language))
    return tuple(seen.values())


def answer(given: Answer) -> str:
    """Return an answer with its sources, or a refusal with the nearest passages."""
    parts = [given.notice, given.answer]
    if given.citations:
        heading = "Nearest passages:" if given.refused else "Sources:"
        parts.append("\n".join([heading, *map(_cited, given.citations)]))
    return "\n\n".join(part for part in parts if part)


def hits(found: Sequence[Found]) -> str:
    """Return passages, numbered."""
    if not found:
        return "Nothing was found."
    return "\n".join(
        f"{number}. {_source(hit, _where(hit))}; document {hit.document_id}\n   {_line(hit.text)}"
        for number, hit in enumerate(found, start=1)
    )


def listed(page: DocumentsOut) -> str:
    """Return a page of the list, a line each."""
    shown = f"Documents {page.offset + 1} to {page.offset + len(page.documents)} of {page.total}:"
    if not page.documents:
        shown = f"No documents here; {page.total} in all."
    lines = (f"- {each.id}: {_source(each)}; {each.characters:,} characters" for each in page.documents)
    return "\n".join([shown, *lines])


def read(title: str, text: str, *, start: int, end: int, whole: int) -> str:
    """Return a piece of a document below its title."""
    return f"{_line(title)}, code points {start:,} to {end:,} of {whole:,}:\n\n{text}"


def _cited(citation: Citation) -> str:
    return f"[{citation.marker}] {_source(citation, _where(citation))}\n    “{_line(citation.quote)}”"


def _where(found: Citation | Found) -> str:
    page = f", page {found.page}" if found.page is not None else ""
    return f"{page}, recognised text" if found.recognised else page


def _source(found: Sourced, where: str = "") -> str:
    url = safe_url(found.source_url)
    return f"{_line(found.title)} ({found.language}){where}{f' — {url}' if url else ''}"


def _line(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())
