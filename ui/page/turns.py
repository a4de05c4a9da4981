"""A turn of a conversation as HTML, made again on the server whenever a page shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from index.corpus import Corpus
    from rag.answer import Citation
    from ui.answer_html import Passage


def passage(corpus: Corpus, citation: Citation) -> Passage:
    """Return the words before a quote in its passage, the quote, and the words after it.

    Where the document is gone or another one since, the quote stands alone.
    """
    for chunk in corpus.chunks_of(citation.document_id):
        if chunk.start <= citation.start and citation.end <= chunk.end:
            start, end = citation.start - chunk.start, citation.end - chunk.start
            if chunk.text[start:end] == citation.quote:
                return chunk.text[:start], citation.quote, chunk.text[end:]
    return "", citation.quote, ""
