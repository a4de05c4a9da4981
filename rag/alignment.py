"""Which sentences of two language versions of a document say the same: a monotone alignment by their vectors.

Pairs of one sentence with one or two are chosen by dynamic programming, as Gale and Church 1993 do by length
(https://aclanthology.org/J93-1004/) and vecalign does by vectors (Thompson and Koehn 2019, https://aclanthology.org/D19-1136/).
A pair is worth its cosine less the mean cosine of each side with its nearest, so that what is near everything is worth
little (cross-domain similarity local scaling, Conneau et al. 2018, https://arxiv.org/abs/1710.04087).
`python -m eval.studies.alignment` measures it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.corpus import Corpus
from index.types import Sentence
from rag.answer import Citation, Gloss

Floats = NDArray[np.float32]

# Sentences around one whose counterpart is looked for, in its document and in the other. Chosen: versions differ by
# sentences left out, not by pages, and these take some 50 ms.
_AROUND, _AROUND_THERE = 30, 60
_NEAREST = 4  # as Conneau et al.
# How much more a pair of one with two must be worth than two of one with one, and what leaving a sentence out is worth.
# Chosen; with them F1 on XQuAD is 0.99 (docs/benchmarks.md).
_JOINED, _LEFT_OUT = 0.02, 0.0
_STEPS = ((1, 1), (1, 2), (2, 1), (1, 0), (0, 1))


@dataclass(frozen=True, slots=True)
class Pair:
    """Sentences `here`..`here_end` of one text say what `there`..`there_end` of the other do; ends excluded."""

    here: int
    here_end: int
    there: int
    there_end: int


def align(here: Floats, there: Floats) -> list[Pair]:
    """Pair the sentences of two texts, in order; those without a counterpart are in no pair.

    Args:
        here, there: (sentences, dimension), unit rows in reading order.
    """
    if not len(here) or not len(there):
        return []
    worth = {
        (1, 1): _worth(here, there),
        (1, 2): _worth(here, _joined(there)) - _JOINED,
        (2, 1): _worth(_joined(here), there) - _JOINED,
    }
    rows, columns = len(here), len(there)
    taken = np.zeros((rows + 1, columns + 1), np.int8)
    scores = {step: table.tolist() for step, table in worth.items()}
    values = [[-math.inf] * (columns + 1) for _ in range(rows + 1)]
    values[0][0] = 0.0
    for i in range(rows + 1):
        for j in range(columns + 1):
            if not i and not j:
                continue
            for number, (up, left) in enumerate(_STEPS):
                if i < up or j < left:
                    continue
                gain = scores[up, left][i - up][j - left] if up and left else _LEFT_OUT
                value = values[i - up][j - left] + gain
                if value > values[i][j]:
                    values[i][j] = value
                    taken[i, j] = number
    return _path(taken, rows, columns)


def counterpart(document_id: str, ordinal: int, other_id: str, corpus: Corpus) -> list[Sentence]:
    """The sentences of another version of a document that say what one of its sentences says; [] where none does.

    Args:
        document_id, ordinal: the sentence's document and its place in it.
        other_id: the other version.
        corpus: of one moment.
    """
    first = max(0, ordinal - _AROUND)
    here = corpus.sentence_vectors(document_id, first, ordinal + _AROUND)
    there = corpus.sentence_vectors(other_id)
    at = ordinal - first
    if at >= len(here) or not len(there):
        return []
    # Where the other text is about here: the middle of where the sentences around have their nearest.
    nearest = np.median((here[max(0, at - 3) : at + 4] @ there.T).argmax(axis=1))
    start = max(0, int(nearest) - _AROUND_THERE)
    for pair in align(here, there[start : start + 2 * _AROUND_THERE]):
        if pair.here <= at < pair.here_end:
            return corpus.sentences_of(other_id, start + pair.there, start + pair.there_end - 1)
    return []


def with_gloss(citation: Citation, readers: Sequence[str], corpus: Corpus) -> Citation:
    """A citation with what the version of its document in a reader's language says there, where there is one.

    Args:
        citation: quotes one sentence.
        readers: languages that the reader reads, the likeliest first.
        corpus: of one moment.
    """
    for language in readers:
        if language == citation.language:
            return citation
        other = next((each.document_id for each in citation.parallel if each.language == language), None)
        ordinal = _ordinal(citation, corpus) if other else None
        if other is None or ordinal is None:
            continue
        found = counterpart(citation.document_id, ordinal, other, corpus)
        document = corpus.document(other) if found else None
        if document is not None:
            start, end = found[0].start, found[-1].end
            return replace(
                citation,
                gloss=Gloss(language, document.text[start:end], other, document.title, start, end),
            )
    return citation


def _ordinal(citation: Citation, corpus: Corpus) -> int | None:
    """The place of a cited sentence in its document; None where a quote is something else."""
    sentences = corpus.sentences_of(citation.document_id)
    cited = (citation.start, citation.end)
    return next((each.ordinal for each in sentences if (each.start, each.end) == cited), None)


def _worth(here: Floats, there: Floats) -> Floats:
    if not len(here) or not len(there):
        return np.zeros((len(here), len(there)), np.float32)
    cosines = here @ there.T
    rows = np.sort(cosines, axis=1)[:, -_NEAREST:].mean(axis=1)
    columns = np.sort(cosines, axis=0)[-_NEAREST:].mean(axis=0)
    worth: Floats = cosines - (rows[:, None] + columns[None, :]) / 2
    return worth


def _joined(vectors: Floats) -> Floats:
    """The vectors of every two neighbours together: (n - 1, dimension), unit rows."""
    both = vectors[:-1] + vectors[1:]
    unit: Floats = both / np.maximum(np.linalg.norm(both, axis=1, keepdims=True), 1e-9)
    return unit


def _path(taken: NDArray[np.int8], i: int, j: int) -> list[Pair]:
    pairs = []
    while i or j:
        up, left = _STEPS[taken[i, j]]
        if up and left:
            pairs.append(Pair(i - up, i, j - left, j))
        i, j = i - up, j - left
    return pairs[::-1]
