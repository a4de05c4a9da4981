"""From hits to evidence: the sentences that answer, the number among several, and how sure one can be.

Two vectors ask: the whole question, and its *focus*, the question without the words that many sentences of the best
document share (its place, its people). The whole question finds the document; inside it the shared words
would favour whatever sentence repeats them, and the focus finds the one that answers. Measured in
docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.corpus import Corpus
from index.embedder import Embedder
from index.quantities import Quantity, find_quantities, numbers_in
from index.terms import fold_digits
from index.types import Sentence
from rag.answer import Hit
from rag.lexical import TextTerms, Wanted, matched, wanted
from rag.question import Question

# A word of the question is shared when this part of the document's sentences, and at least two, hold it.
_SHARED = 0.08
# Sentences of a document that are looked at for shared words and names; a long document shows them early.
_LOOKED_AT = 120
# What a number of another kind than asked for loses; a cosine between unrelated clauses varies by about as much.
_WRONG_KIND = 0.15


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence that may answer, with the hit it stands in.

    `score` orders sentences, larger first, about 1 to 2; `cosine` is to the whole question, `focused` to its focus.
    """

    sentence: Sentence
    hit: Hit
    score: float
    cosine: float
    focused: float


@dataclass(frozen=True, slots=True)
class NumberFound:
    """A number that may be the short answer. `quantity` counts its offsets in its sentence."""

    support: Support
    quantity: Quantity
    score: float


@dataclass(frozen=True, slots=True)
class Features:
    """What the decision to answer or refuse rests on.

    Attributes:
        cosine: best cosine of a sentence to the question.
        passage: score of the best passage without its bonus for words, a cosine.
        margin: how far the best sentence stands above the mean of the sentences around it.
        overlap: bonus of the best passage for shared words and names, over the question's words.
        names: part of the question's names that its document holds; 1 when it has none.
        has_names: 1 when the question has names.
        numbers: part of the question's numbers that its document holds; 1 when it has none.
        answerable: 1 unless a number or date is asked for and none stands in the passages.
        same_language: 1 when the passage is in the question's language.
    """

    cosine: float
    passage: float
    margin: float
    overlap: float
    names: float
    has_names: float
    numbers: float
    answerable: float
    same_language: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything an engine needs: hits, sentences best first, numbers best first, features, missing names."""

    question: Question
    hits: tuple[Hit, ...]
    supports: tuple[Support, ...]
    numbers: tuple[NumberFound, ...]
    features: Features | None
    missing: tuple[str, ...]


def gather(question: Question, hits: Sequence[Hit], corpus: Corpus, embedder: Embedder) -> Evidence:
    """Rank the sentences and numbers of the hits.

    Args:
        question: analysed.
        hits: best first; none gives empty evidence without features.
    """
    if not hits:
        return Evidence(question, (), (), (), None, ())
    asked = wanted(question)
    hits = _about_the_names(question, asked, hits, corpus)
    focus = _focus(question, asked, corpus, hits[0])
    texts = [question.text] if focus == question.text else [question.text, focus]
    vectors = embedder.embed_queries(texts)
    whole, focused = vectors[0], vectors[-1]
    supports = _supports(hits, corpus, whole, focused)
    numbers = _numbers(question, hits, supports, corpus, focused)
    coverage, missing = _coverage(question, asked, corpus, hits[0])
    return Evidence(
        question=question,
        hits=tuple(hits),
        supports=tuple(supports),
        numbers=tuple(numbers),
        features=_features(question, asked, hits[0], supports, numbers, coverage),
        missing=missing,
    )


def _focus(question: Question, asked: Wanted, corpus: Corpus, hit: Hit) -> str:
    """The question without its names and without the words that many sentences of the document share."""
    sentences = corpus.sentences_of(hit.chunk.document_id, 0, _LOOKED_AT - 1)
    needed = max(2.0, _SHARED * len(sentences))
    counts: dict[int, int] = {}
    for sentence in sentences:
        here = matched(asked, TextTerms.of(sentence.text, sentence.language))
        for position in {p for term in here for p in range(term.first, term.last + 1)}:
            counts[position] = counts.get(position, 0) + 1
    shared = {position for position, count in counts.items() if count >= needed}
    left = [word for position, word in enumerate(asked.words) if position not in shared]
    # Two words are the least that can still ask for something.
    return " ".join(left) if 2 <= len(left) < len(asked.words) else question.text


def _supports(
    hits: Sequence[Hit], corpus: Corpus, whole: NDArray[np.float32], focused: NDArray[np.float32]
) -> list[Support]:
    found: dict[str, Support] = {}
    for hit in hits:
        chunk = hit.chunk
        sentences = corpus.sentences_of(chunk.document_id, chunk.first, chunk.last)
        vectors = corpus.sentence_vectors(chunk.document_id, chunk.first, chunk.last)
        if len(sentences) != len(vectors):
            continue  # replaced between the two reads
        cosines = vectors @ whole
        focus = vectors @ focused
        for sentence, cosine, near in zip(sentences, cosines.tolist(), focus.tolist(), strict=True):
            if sentence.kind == "heading":
                continue
            score = (cosine + near) / 2 + hit.score
            known = found.get(sentence.id)
            if known is None or known.score < score:
                found[sentence.id] = Support(sentence, hit, score, cosine, near)
    return sorted(found.values(), key=lambda support: -support.score)


def _numbers(
    question: Question,
    hits: Sequence[Hit],
    supports: Sequence[Support],
    corpus: Corpus,
    focused: NDArray[np.float32],
) -> list[NumberFound]:
    """Numbers of the kind asked for, best first: passage, sentence and clause each have a say."""
    if not (question.wants_number or question.wants_date):
        return []
    by_sentence = {(s.sentence.document_id, s.sentence.ordinal): s for s in supports}
    found = []
    for hit in hits:
        clauses, vectors = corpus.clauses_of(hit.chunk.document_id, hit.chunk.first, hit.chunk.last)
        for clause, cosine in zip(clauses, (vectors @ focused).tolist(), strict=True):
            support = by_sentence.get((clause.document_id, clause.sentence))
            if support is None:
                continue
            quantity = _quantity_at(support.sentence, clause.anchor)
            if quantity is None or numbers_in(quantity.text) <= question.numbers:
                continue  # a number that the question itself gives does not answer it
            penalty = _penalty(question, quantity)
            if penalty is not None:
                score = hit.score + support.focused + cosine - penalty
                found.append(NumberFound(support, quantity, score))
    unique = {(n.support.sentence.id, n.quantity.start): n for n in sorted(found, key=lambda n: n.score)}
    return sorted(unique.values(), key=lambda number: -number.score)


def _quantity_at(sentence: Sentence, anchor: int) -> Quantity | None:
    for quantity in find_quantities(sentence.text, sentence.language):
        if sentence.start + quantity.start == anchor:
            return quantity
    return None


def _penalty(question: Question, quantity: Quantity) -> float | None:
    """What a number loses for not being of the kind asked for; None when it cannot answer at all."""
    if question.wants_date:
        return 0.0 if quantity.kind == "date" else None
    if question.kind == "share":
        return 0.0 if quantity.kind == "share" else _WRONG_KIND
    if question.kind == "money":
        return 0.0 if quantity.kind == "money" else _WRONG_KIND
    return _WRONG_KIND if quantity.kind == "date" else 0.0


def _about_the_names(
    question: Question, asked: Wanted, hits: Sequence[Hit], corpus: Corpus
) -> list[Hit]:
    """Hits of documents that hold more of the question's names and numbers first, otherwise as they were."""
    if not (question.names or question.numbers) or len({hit.chunk.document_id for hit in hits}) == 1:
        return list(hits)
    held = {}
    for hit in hits:
        if hit.chunk.document_id not in held:
            (names, numbers), _ = _coverage(question, asked, corpus, hit)
            held[hit.chunk.document_id] = names + numbers
    return sorted(hits, key=lambda hit: -held[hit.chunk.document_id])


def _coverage(
    question: Question, asked: Wanted, corpus: Corpus, hit: Hit
) -> tuple[tuple[float, float], tuple[str, ...]]:
    """Parts of the question's names and numbers that the hit's document holds, and those it does not."""
    if not (question.names or question.numbers):
        return (1.0, 1.0), ()
    document_id = hit.chunk.document_id
    sentences = corpus.sentences_of(document_id, 0, _LOOKED_AT - 1)
    texts = [(hit.title, hit.document_language), *((s.text, s.language) for s in sentences)]
    if hit.chunk.first >= _LOOKED_AT:
        texts.append((hit.chunk.text, hit.chunk.language))
    held: set[int] = set()
    digits: set[str] = set()
    for text, language in texts:
        terms = matched(asked, TextTerms.of(text, language))
        held.update(p for term in terms for p in range(term.first, term.last + 1))
        digits |= numbers_in(fold_digits(text))
    missing = [" ".join(name) for name in question.names if not _is_held(name, asked, held)]
    unheld = sorted(question.numbers - digits)
    names = 1 - len(missing) / len(question.names) if question.names else 1.0
    numbers = 1 - len(unheld) / len(question.numbers) if question.numbers else 1.0
    return (names, numbers), (*missing, *unheld)


def _is_held(name: tuple[str, ...], asked: Wanted, held: set[int]) -> bool:
    """Whether most of a name's words were found: titles and translated parts may be missing."""
    size = len(name)
    for start in range(len(asked.words) - size + 1):
        if asked.words[start : start + size] == name:
            return sum(position in held for position in range(start, start + size)) * 2 >= size
    return False


def _features(
    question: Question,
    asked: Wanted,
    hit: Hit,
    supports: Sequence[Support],
    numbers: Sequence[NumberFound],
    coverage: tuple[float, float],
) -> Features:
    cosines = np.array([support.cosine for support in supports] or [0.0])
    asks_for_figure = question.wants_number or question.wants_date
    return Features(
        cosine=float(cosines.max()),
        passage=hit.score - hit.lexical,
        margin=float(cosines.max() - cosines.mean()),
        overlap=hit.lexical / max(1, len(asked.words)) * 100,
        names=coverage[0],
        has_names=float(bool(question.names)),
        numbers=coverage[1],
        answerable=float(bool(numbers) or not asks_for_figure),
        same_language=float(hit.chunk.language == question.language),
    )
