"""Questions that the indexed documents answer, to begin with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from index.catalogue import DocumentInfo
from index.corpus import Corpus
from rag.notices import notices_in

# Documents that are looked at for them, the first in the catalogue's order, and characters of a title. Chosen: more
# cost time at every start of the page, and a longer title fills more than a line of it.
_AMONG, _TITLE = 200, 90


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A question about a document, in a language, and the document."""

    question: str
    language: str
    document: DocumentInfo


def suggestions(
    corpus: Corpus, language: str, *, most: int = 3, but: Collection[str] = ()
) -> tuple[Suggestion, ...]:
    """Return questions in `language` about documents of different sources, those in that language first.

    `but`: titles that are not asked about. Without a table for the language the questions are English.
    """
    template = notices_in(language)["example"]
    infos = [info for info in corpus.documents(limit=_AMONG) if info.title not in but]
    own = [info for info in infos if info.language == language]
    chosen = different(own, most=most)
    if len(chosen) < most:
        others = [info for info in infos if not _same_source(info, own)]
        chosen += different(others, most=most - len(chosen))
    return tuple(Suggestion(template.format(title=shortened(info.title)), language, info) for info in chosen)


def different(infos: Sequence[DocumentInfo], *, most: int) -> list[DocumentInfo]:
    """Return documents in as many languages, and of as many sources, as there are, at most `most`."""
    chosen: list[DocumentInfo] = []
    rest = list(infos)
    while rest and len(chosen) < most:
        seen = [info.language for info in chosen]
        sources = [info.source_url for info in chosen if info.source_url]
        best = min(rest, key=lambda info: (seen.count(info.language), sources.count(info.source_url or "")))
        chosen.append(best)
        rest.remove(best)
    return chosen


def shortened(title: str, *, most: int = _TITLE) -> str:
    """Return a title cut behind a word where it is longer than `most` characters."""
    return title if len(title) <= most else title[: most - 1].rsplit(" ", 1)[0] + "…"


def _same_source(info: DocumentInfo, others: Sequence[DocumentInfo]) -> bool:
    return any(
        info.id == other.id or (info.source_url and info.source_url == other.source_url) for other in others
    )
