"""Questions to begin with, made from the indexed documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.notices import notices_in
from rag.suggestions import different, shortened

if TYPE_CHECKING:
    from index.corpus import Corpus

_EXAMPLES = 5
# Documents that are looked at for them: the first in the catalogue's order.
_AMONG = 200


def example_questions(corpus: Corpus) -> list[tuple[str, str, str]]:
    """Return questions about a few sources in as many languages: (question, a shorter form to show, its language)."""
    found = []
    for info in different(corpus.documents(limit=_AMONG), most=_EXAMPLES):
        template = notices_in(info.language)["example"]
        shown = template.format(title=shortened(info.title))
        found.append((template.format(title=info.title), shown, info.language))
    return found
