"""What is said to a message that is no question to the documents, and how its documents are cited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.catalogue import DocumentInfo
from index.corpus import Corpus
from index.types import Sentence
from rag.answer import Citation, Intent, Parallel, located


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply in words. It is no refusal and has no short answer.

    Attributes:
        intent: what the message wanted.
        kind: the same in detail, as `rag.intent` names it.
        language: the language of the reply's own words, one that has a table.
        text: with markers [n] where it cites.
        citations: what it quotes; only the collection's list and summaries cite.
    """

    intent: Intent
    kind: str
    language: str
    text: str
    citations: tuple[Citation, ...] = ()


def cited(
    corpus: Corpus, info: DocumentInfo, sentence: Sentence, *, marker: int, score: float = 1.0
) -> Citation:
    """Return the citation of a document's sentence."""
    return Citation(
        marker=marker,
        document_id=info.id,
        source_url=info.source_url,
        title=info.title,
        language=sentence.language,
        quote=sentence.text,
        start=sentence.start,
        end=sentence.end,
        score=round(score, 4),
        parallel=tuple(Parallel(key, language) for key, language in corpus.parallel(info.id)),
        **located(corpus.places(info.id), sentence.start, info.path),
    )


def listed(lines: Sequence[str]) -> str:
    """Return lines as a list, as a terminal shows it and Markdown reads it."""
    return "\n".join(f"- {line}" for line in lines)
