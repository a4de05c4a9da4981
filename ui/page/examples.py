"""Questions to begin with, made from the indexed documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ui.labels import labels_in

if TYPE_CHECKING:
    from index.catalogue import DocumentInfo
    from index.corpus import Corpus

_EXAMPLES = 5
_CHARACTERS = 90
# Documents that are looked at for them: the first in the catalogue's order.
_AMONG = 200


def example_questions(corpus: Corpus) -> list[tuple[str, str, str]]:
    """Return questions about a few sources in as many languages: (question, a shorter form to show, its language)."""
    found = []
    for info in _different(corpus.documents(limit=_AMONG)):
        template = labels_in(info.language)["example"]
        shown = info.title
        if len(shown) > _CHARACTERS:
            shown = shown[: _CHARACTERS - 1].rsplit(" ", 1)[0] + "…"
        found.append((template.format(title=info.title), template.format(title=shown), info.language))
    return found


def _different(infos: list[DocumentInfo]) -> list[DocumentInfo]:
    """A few documents in as many languages, and of as many sources, as there are."""
    chosen: list[DocumentInfo] = []
    rest = list(infos)
    while rest and len(chosen) < _EXAMPLES:
        seen = [info.language for info in chosen]
        sources = [info.source_url for info in chosen if info.source_url]
        best = min(rest, key=lambda info: (seen.count(info.language), sources.count(info.source_url or "")))
        chosen.append(best)
        rest.remove(best)
    return chosen
