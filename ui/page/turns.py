"""An answer as the page shows it. It is made on the server whenever a page shows it, never taken from a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag.answer import Answer, Citation
from ui.answer_html import said_html
from ui.sources_html import InPassage, sources_html

if TYPE_CHECKING:
    from index.corpus import Corpus
    from rag.api.schemas import AnswerOut
    from ui.answer_html import Viewer


def answer_html(answer: Answer, corpus: Corpus, viewer: Viewer) -> str:
    """Return an answer with its sources, each quote in its passage as the index has it now."""
    sources = sources_html(answer, lambda citation: passage(corpus, citation), viewer)
    kind = "pc-turn pc-refused" if answer.refused else "pc-turn"
    return f'<div class="{kind}">{said_html(answer, viewer)}{sources}</div>'


def received(sent: AnswerOut) -> Answer:
    """Return an answer that a browser kept, as the assistant gave it."""
    return Answer.from_dict(sent.model_dump())


def passage(corpus: Corpus, citation: Citation) -> InPassage:
    """Return the words before a quote in its passage, the quote, and the words after it.

    Where the document is gone or another one since, the quote stands alone.
    """
    for chunk in corpus.chunks_of(citation.document_id):
        if chunk.start <= citation.start and citation.end <= chunk.end:
            start, end = citation.start - chunk.start, citation.end - chunk.start
            if chunk.text[start:end] == citation.quote:
                return chunk.text[:start], citation.quote, chunk.text[end:]
    return "", citation.quote, ""
