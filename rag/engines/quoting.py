"""Sentences of the evidence as citations."""

from __future__ import annotations

from rag.answer import Citation
from rag.evidence import Support
from rag.scoring import probability


def citation(support: Support, marker: int) -> Citation:
    """The whole sentence, quoted; its score is the probability that it answers."""
    return support.hit.cited(support.sentence, marker=marker, score=probability(support.score))
