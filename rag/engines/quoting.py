"""Sentences of the evidence as citations."""

from __future__ import annotations

from rag.answer import Citation
from rag.evidence import Support
from rag.scoring import probability


def citation(support: Support, marker: int) -> Citation:
    """The whole sentence, quoted; its score is the probability that it answers."""
    sentence, hit = support.sentence, support.hit
    return Citation(
        marker=marker,
        document_id=sentence.document_id,
        source_url=hit.source_url,
        title=hit.title,
        language=sentence.language,
        quote=sentence.text,
        start=sentence.start,
        end=sentence.end,
        score=round(probability(support.score), 4),
        parallel=hit.parallel,
        **hit.located(sentence.start),
    )
