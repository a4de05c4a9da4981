"""Which passages of an article come nearest to a question without holding its answer: what a retriever would bring."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor
from torch.nn import functional

from eval.learning.data import Corpus, Passage
from eval.learning.model import ReaderModel
from index.bundled.build import PROMPTS
from rag.reader.encode import Batch, PairEncoder, pad

_NEAREST = 6  # passages kept for a question
_TEXTS = 16  # texts embedded at once


def similar_passages(
    corpus: Corpus, model: ReaderModel, encoder: PairEncoder, pool: ThreadPoolExecutor
) -> dict[str, list[int]]:
    """For each question id, up to six passages of the same article by falling cosine, its own left out.

    Args:
        corpus: questions and passages; the first language that a text exists in, English before others, stands for it.
        model: not trained yet, and therefore the bundled encoder.
        encoder: makes its rows.
        pool: threads to share the work.

    Returns:
        Places in `corpus.passages`.
    """
    passages = embed(model, encoder, [PROMPTS["passage"] + _first(p.contexts) for p in corpus.passages], pool)
    nearest: dict[str, list[int]] = {}
    by_article: dict[str, list[int]] = {}
    for place, passage in enumerate(corpus.passages):
        by_article.setdefault(passage.article, []).append(place)
    asks = [(place, ask) for place, p in enumerate(corpus.passages) for ask in p.asks.values() if ask.answers]
    questions = embed(model, encoder, [PROMPTS["query"] + _first(ask.texts) for _, ask in asks], pool)
    for (place, ask), question in zip(asks, questions, strict=True):
        others = [p for p in by_article[_article(corpus.passages, place)] if p != place]
        cosines = passages[others] @ question
        nearest[ask.id] = [others[int(i)] for i in cosines.argsort(descending=True)[:_NEAREST]]
    return nearest


def embed(model: ReaderModel, encoder: PairEncoder, texts: Sequence[str], pool: ThreadPoolExecutor) -> Tensor:
    """Unit vectors (texts, hidden) float32 by the encoder inside `model`: the mean of its states."""
    rows = encoder.single_rows(texts)
    vectors = torch.zeros(len(texts), model.span.in_features)
    order = sorted(range(len(texts)), key=lambda i: len(rows[i].ids))
    groups = [order[i : i + _TEXTS] for i in range(0, len(order), _TEXTS)]
    device = model.span.weight.device

    def run(group: list[int]) -> Tensor:
        batch: Batch = pad([rows[place] for place in group])
        mask = torch.from_numpy(batch.mask).to(device)
        with torch.no_grad():
            states = model.states(torch.from_numpy(batch.ids).to(device), mask, torch.zeros_like(mask))
        return (states.float() * mask[:, :, None]).sum(1).cpu()

    for group, sums in zip(groups, pool.map(run, groups), strict=True):
        vectors[group] = sums
    return functional.normalize(vectors, dim=1)


def _first(texts: dict[str, str]) -> str:
    return texts.get("en") or next(iter(texts.values()))


def _article(passages: Sequence[Passage], place: int) -> str:
    return passages[place].article
