"""Which passages of an article come nearest to a question without holding its answer: what a retriever would bring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from eval.learning.data import Corpus, Paragraph
from index.embedder import Embedder

_NEAREST = 6  # passages kept for a question


def similar_passages(corpus: Corpus, embedder: Embedder) -> dict[str, list[int]]:
    """For each question id, up to six passages of the same article by falling cosine, its own left out.

    Args:
        corpus: questions and passages; the first language that a text exists in, English before others, stands for it.
        embedder: tells how near they are.

    Returns:
        Places in `corpus.passages`.
    """
    passages = embedder.embed_passages([_first(p.contexts) for p in corpus.passages])
    by_article: dict[str, list[int]] = {}
    for place, passage in enumerate(corpus.passages):
        by_article.setdefault(passage.article, []).append(place)
    asks = [(place, ask) for place, p in enumerate(corpus.passages) for ask in p.asks.values() if ask.answers]
    questions = embedder.embed_queries([_first(ask.texts) for _, ask in asks])
    nearest: dict[str, list[int]] = {}
    for (place, ask), question in zip(asks, questions, strict=True):
        others = [p for p in by_article[_article(corpus.passages, place)] if p != place]
        order = (-(passages[others] @ question)).argsort()[:_NEAREST]
        nearest[ask.id] = [others[int(i)] for i in order]
    return nearest


def _first(texts: Mapping[str, str]) -> str:
    return texts.get("en") or next(iter(texts.values()))


def _article(passages: Sequence[Paragraph], place: int) -> str:
    return passages[place].article
