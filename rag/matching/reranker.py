"""An optional cross-encoder that reorders the best passages, any that sentence-transformers can load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from sentence_transformers import CrossEncoder

from index.errors import ModelError
from rag.answer import Hit


class Reranker:
    """Scores (question, passage) pairs and reorders hits by them; the hits' scores stay on their own scale.

    Raises:
        ModelError: RAG_RERANK_MODEL names no cross-encoder that can be loaded.
    """

    def __init__(self, name: str) -> None:
        try:
            self._model = CrossEncoder(name)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"RAG_RERANK_MODEL={name} cannot be loaded ({type(error).__name__}): "
                "give the name or path of a sentence-transformers CrossEncoder, or leave it empty"
            ) from error

    def rerank(self, question: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits in the model's order; their scores are dealt out anew, largest first."""
        if len(hits) < 2:
            return list(hits)
        relevance = np.asarray(self._model.predict([(question, hit.chunk.text) for hit in hits]))
        scores = sorted((hit.score for hit in hits), reverse=True)
        order = np.argsort(-relevance, kind="stable")
        return [replace(hits[int(row)], score=score) for row, score in zip(order, scores, strict=True)]
