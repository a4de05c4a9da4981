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

from index.catalogue import Reader
from index.corpus import Corpus
from index.embedder import Embedder
from index.quantities import Quantity, find_quantities, numbers_in
from index.terms import split_words
from index.types import Sentence
from rag.answer import Hit
from rag.lexical import TextTerms, Wanted, matched, text_terms, wanted
from rag.question import Question

# A word of the question is shared when this part of the document's sentences, and at least two, hold it.
_SHARED = 0.08
# Sentences of a document that are looked at for shared words and names; a long document shows them early.
_LOOKED_AT = 120
# What a document that holds the question's names and numbers gains over one that does not, as a cosine. Chosen, not
# fitted.
_HOLDS_NAMES = 0.04
# A name is held when this part of its words is: titles and translated parts may be missing.
_HELD = 0.5
# What a caption loses: it is short, and short texts are near to everything.
_CAPTION = 0.05
# Terms that are left out one at a time, each costing one short text to embed.
_TERMS_LEFT_OUT = 24
# A term that pushes the question this far from the passage is named as what the documents do not hold.
_PUSHES_AWAY = 0.01
# What a number of another kind than asked for loses. Against none, it raised the right number from 0.35 to 0.57 of
# number questions across XQuAD languages; other values were not tried.
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
    """A number that may be the short answer. Offsets count in its sentence; `cosine` is its clause's to the focus."""

    support: Support
    quantity: Quantity
    score: float
    cosine: float


@dataclass(frozen=True, slots=True)
class Features:
    """What the decision to answer or refuse rests on.

    Attributes:
        passage: score of the best passage without its bonus for words, a cosine.
        margin: how far the best sentence stands above the mean of the sentences around it.
        focused: cosine of the sentence that would answer, or of the clause of its number, to the focus.
        names: part of the question's names that its document holds; 1 when it has none.
        numbers: part of the question's numbers that its document holds; 1 when it has none.
        unsupported: how much nearer the question comes to the passage when one term is left out that its
            document does not hold, as a cosine; 0 when every term draws it nearer. A name of
            another place pushes the question away from the passage, in any script.
        answerable: 1 unless a number or date is asked for and none stands in the passages.
        same_language: 1 when the passage is in the question's language.
    """

    passage: float
    margin: float
    focused: float
    names: float
    numbers: float
    unsupported: float
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


def gather(
    question: Question, hits: Sequence[Hit], corpus: Corpus, embedder: Embedder, *, top_k: int = 5
) -> Evidence:
    """Rank the sentences and numbers of the hits.

    Args:
        question: analysed.
        hits: best first; none gives empty evidence without features.
        top_k: how many of the hits are read, those whose documents hold the question's names first.
    """
    if not hits:
        return Evidence(question, (), (), (), None, ())
    asked = wanted(question)
    reader = corpus.reader()
    openings = _Openings(reader)
    hits = _about_the_names(question, asked, hits, openings)[:top_k]
    best: Hit = hits[0]
    coverage = _coverage(question, asked, openings, best)
    focus = _focus(question, asked, openings, best)
    left_out = _left_out(asked, coverage.held)
    texts = [question.text, focus, " ".join(asked.words), *left_out.values()]
    whole, focused, plain, *others = embedder.embed_queries(texts)
    supports = _supports(hits, reader, whole, focused)
    numbers = _numbers(question, hits, supports, reader, focused)
    pushes = _pushes(reader, best, plain, others)
    named = _named(question, list(left_out), embedder)
    missing = coverage.missing
    if not missing and named.any() and (pushes * named).max() >= _PUSHES_AWAY:
        missing = (list(left_out)[int((pushes * named).argmax())],)
    return Evidence(
        question=question,
        hits=tuple(hits),
        supports=tuple(supports),
        numbers=tuple(numbers),
        features=_features(question, best, supports, numbers, coverage, pushes),
        missing=missing,
    )


def _left_out(asked: Wanted, held: frozenset[int]) -> dict[str, str]:
    """For each term of the question that the document does not hold: the question without it, by the term's words."""
    texts: dict[str, str] = {}
    for term in asked.terms[:_TERMS_LEFT_OUT]:
        positions = set(range(term.first, term.last + 1))
        if not positions & held and len(positions) < len(asked.words):
            kept = [word for position, word in enumerate(asked.words) if position not in positions]
            texts[" ".join(term.words)] = " ".join(kept)
    return texts


def _pushes(
    reader: Reader, hit: Hit, plain: NDArray[np.float32], others: Sequence[NDArray[np.float32]]
) -> NDArray[np.float32]:
    """(terms,) how much nearer the question without each term is to the passage, a difference of cosines."""
    passage = reader.chunk_vectors([hit.chunk.id]).get(hit.chunk.id)
    if not others or passage is None:
        return np.zeros(len(others), np.float32)
    return np.asarray((np.stack(others) - plain) @ passage, np.float32)


def _named(question: Question, terms: Sequence[str], embedder: Embedder) -> NDArray[np.bool_]:
    """(terms,) whether a term is written as a name or holds a word that the vocabulary does not have whole."""
    capitals = {word for name in question.names for word in name}
    words = [term.split() for term in terms]
    distinct = sorted({word for term in words for word in term})
    pieces = dict(zip(distinct, embedder.count_tokens(distinct), strict=True))
    return np.array([any(w in capitals or pieces[w] > 1 for w in term) for term in words], bool)


class _Openings:
    """The terms of the first sentences of documents, read once a question."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._terms: dict[str, list[TextTerms]] = {}

    def terms(self, document_id: str) -> list[TextTerms]:
        """The terms of each of a document's first sentences."""
        if document_id not in self._terms:
            sentences = self._reader.sentences_of(document_id, 0, _LOOKED_AT - 1)
            self._terms[document_id] = [text_terms(s.text, s.language) for s in sentences]
        return self._terms[document_id]


def _focus(question: Question, asked: Wanted, openings: _Openings, hit: Hit) -> str:
    """The question without the words that many sentences of the document share."""
    sentences = openings.terms(hit.chunk.document_id)
    needed = max(2.0, _SHARED * len(sentences))
    counts: dict[int, int] = {}
    for sentence in sentences:
        here = matched(asked, sentence)
        for position in {p for term in here for p in range(term.first, term.last + 1)}:
            counts[position] = counts.get(position, 0) + 1
    shared = {position for position, count in counts.items() if count >= needed}
    own = asked.words if question.own is None else split_words(question.own)
    left = [word for position, word in enumerate(asked.words) if position not in shared and word in own]
    # Two words are the least that can still ask for something.
    return " ".join(left) if 2 <= len(left) < len(asked.words) else question.text


def _supports(
    hits: Sequence[Hit], reader: Reader, whole: NDArray[np.float32], focused: NDArray[np.float32]
) -> list[Support]:
    found: dict[str, Support] = {}
    by_chunk = reader.sentence_vectors_in([hit.chunk.id for hit in hits])
    for hit in hits:
        chunk = hit.chunk
        sentences = reader.sentences_of(chunk.document_id, chunk.first, chunk.last)
        vectors = by_chunk.get(chunk.id)
        if vectors is None or len(sentences) != len(vectors):
            continue  # replaced between the two reads
        cosines = vectors @ whole
        focus = vectors @ focused
        for sentence, cosine, near in zip(sentences, cosines.tolist(), focus.tolist(), strict=True):
            if sentence.kind == "heading":
                continue
            score = (cosine + near) / 2 + hit.score - (_CAPTION if sentence.kind == "caption" else 0.0)
            known = found.get(sentence.id)
            if known is None or known.score < score:
                found[sentence.id] = Support(sentence, hit, score, cosine, near)
    return sorted(found.values(), key=lambda support: -support.score)


def _numbers(
    question: Question,
    hits: Sequence[Hit],
    supports: Sequence[Support],
    reader: Reader,
    focused: NDArray[np.float32],
) -> list[NumberFound]:
    """Numbers of the kind asked for, best first: passage, sentence and clause each have a say."""
    if not (question.wants_number or question.wants_date):
        return []
    by_sentence = {(s.sentence.document_id, s.sentence.ordinal): s for s in supports}
    found = []
    for hit in hits:
        clauses, vectors = reader.clauses_of(hit.chunk.document_id, hit.chunk.first, hit.chunk.last)
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
                found.append(NumberFound(support, quantity, score, cosine))
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
    question: Question, asked: Wanted, hits: Sequence[Hit], openings: _Openings
) -> list[Hit]:
    """The hits in the order of their scores with a bonus for holding the question's names and numbers."""
    if not (question.names or question.numbers) or len({hit.chunk.document_id for hit in hits}) == 1:
        return list(hits)
    bonus = {}
    for hit in hits:
        if hit.chunk.document_id not in bonus:
            coverage = _coverage(question, asked, openings, hit)
            bonus[hit.chunk.document_id] = _HOLDS_NAMES * (coverage.names + coverage.numbers)
    return sorted(hits, key=lambda hit: -hit.score - bonus[hit.chunk.document_id])


@dataclass(frozen=True, slots=True)
class _Coverage:
    """What the best document holds of the question: parts of its names and numbers, and positions of its words."""

    names: float
    numbers: float
    missing: tuple[str, ...]
    held: frozenset[int]


def _coverage(question: Question, asked: Wanted, openings: _Openings, hit: Hit) -> _Coverage:
    texts = [
        text_terms(hit.title, hit.document_language),
        text_terms(hit.chunk.text, hit.chunk.language),
        *openings.terms(hit.chunk.document_id),
    ]
    held: set[int] = set()
    digits: set[str] = set()
    for text in texts:
        held.update(p for term in matched(asked, text) for p in range(term.first, term.last + 1))
        digits.update(*(numbers_in(word) for word in text.words))
    shares = {name: _share_held(name, asked, held) for name in question.names}
    missing = [" ".join(name) for name, share in shares.items() if share < _HELD]
    unheld = sorted(question.numbers - digits)
    return _Coverage(
        names=sum(shares.values()) / len(shares) if shares else 1.0,
        numbers=1 - len(unheld) / len(question.numbers) if question.numbers else 1.0,
        missing=(*missing, *unheld),
        held=frozenset(held),
    )


def _share_held(name: tuple[str, ...], asked: Wanted, held: set[int]) -> float:
    """Which part of a name's words was found."""
    size = len(name)
    for start in range(len(asked.words) - size + 1):
        if asked.words[start : start + size] == name:
            return sum(position in held for position in range(start, start + size)) / size
    return 0.0


def _features(  # noqa: PLR0917 - one row of a table
    question: Question,
    hit: Hit,
    supports: Sequence[Support],
    numbers: Sequence[NumberFound],
    coverage: _Coverage,
    pushes: NDArray[np.float32],
) -> Features:
    cosines = np.array([support.cosine for support in supports] or [0.0])
    focused = numbers[0].cosine if numbers else supports[0].focused if supports else 0.0
    asks_for_figure = question.wants_number or question.wants_date
    return Features(
        passage=hit.score - hit.lexical,
        margin=float(cosines.max() - cosines.mean()),
        focused=focused,
        names=coverage.names,
        numbers=coverage.numbers,
        unsupported=float(pushes.max(initial=0.0)),
        answerable=float(bool(numbers) or not asks_for_figure),
        same_language=float(hit.chunk.language == question.language),
    )
