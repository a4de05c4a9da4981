"""From hits to evidence: the sentences that answer, the number among several, and how sure one can be.

Two vectors ask: the whole question, and its *focus*, the question without the words that many sentences of the best
document share (its place, its people). The whole question finds the document; inside it the shared words
would favour whatever sentence repeats them, and the focus finds the one that answers. Then the reader, where there is
one, reads the most promising passages and says where the answer stands in them, if it does. Measured in
docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from index.catalogue import Reader
from index.corpus import Corpus
from index.embedder import Embedder
from index.language.quantities import Quantity, find_quantities
from index.types import Sentence
from rag.answer import Hit
from rag.coverage import Coverage, Openings, coverage_of, focus_of, pushed_away_by
from rag.lexical import wanted
from rag.question import Question
from rag.reader.passages import Read, Reads, read, windows

# The sentences of each hit's chunk with their vectors, by the chunk's id.
Inside = Mapping[str, tuple[Sequence[Sentence], NDArray[np.float32]]]

# What a caption loses: it is short, and short texts are near to everything.
_CAPTION = 0.05
# Passages that the reader reads, and how long they are. Both cost time in proportion. Chosen, not measured.
_READ, _READ_TOKENS = 3, 112
# What the reader's probability of an answer adds to a sentence, and to a number, on the scale of their scores: of 0.05
# to 4, small values found most, on articles that the reader did not learn from (docs/reader.md).
_READ_SENTENCE, _READ_NUMBER = 0.05, 0.05
# What a number of another kind than asked for loses. Against none, it raised the right number from 0.35 to 0.57 of
# number questions across XQuAD languages; other values were not tried.
_WRONG_KIND = 0.15


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence that may answer, with the hit it stands in.

    `score` orders sentences, larger first, about 1 to 2; `cosine` is to the whole question, `focused` to its focus;
    `answered` is the reader's probability that the answer stands in it, 0 for a sentence that was not read.
    """

    sentence: Sentence
    hit: Hit
    score: float
    cosine: float
    focused: float
    answered: float = 0.0


@dataclass(frozen=True, slots=True)
class NumberFound:
    """A number that may be the short answer. Offsets count in its sentence; `cosine` is its clause's to the focus,
    `answered` the reader's probability that it is the answer."""

    support: Support
    quantity: Quantity
    score: float
    cosine: float
    answered: float = 0.0


@dataclass(frozen=True, slots=True)
class Features:
    """What the decision to answer or refuse rests on.

    Attributes:
        passage: score of the best passage without its bonus for words, a cosine.
        margin: how far the best sentence stands above the mean of the sentences around it.
        focused: cosine of the sentence that would answer, or of the clause of its number, to the focus.
        names: part of the question's names that its document holds; 1 when it has none.
        numbers: part of the question's numbers that its document holds; 1 when it has none.
        pushed: how much nearer the question comes to the passage without a name that its document does not hold, as a
            cosine; 0 when it holds them all or every other one draws it nearer. A name of another place
            pushes the question away from the passage, in any script.
        answerable: 1 unless a number or date is asked for and none stands in the passages.
        same_language: 1 when the passage is in the question's language.
        read: the reader's probability that the best passage it read answers; 0 without a reader.
        pointed: its probability that the answer stands in the sentence or number that would answer.
    """

    passage: float
    margin: float
    focused: float
    names: float
    numbers: float
    pushed: float
    answerable: float
    same_language: float
    read: float
    pointed: float


@dataclass(frozen=True, slots=True)
class Span:
    """The words that the reader points at: code points `start`..`end` of the sentence, and their probability."""

    support: Support
    start: int
    end: int
    answered: float

    @property
    def text(self) -> str:
        """The words."""
        return self.support.sentence.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything an engine needs: hits, sentences best first, numbers best first, features, missing names.

    `was_read`: whether a reader had its say, `reads` the windows it read, `judged` whether what it says of being
    answered counts, which it does in languages that it learnt. `span` is None without one, and where it points at
    nothing within one sentence.
    """

    question: Question
    hits: tuple[Hit, ...]
    supports: tuple[Support, ...]
    numbers: tuple[NumberFound, ...]
    features: Features | None
    missing: tuple[str, ...]
    span: Span | None = None
    was_read: bool = False
    judged: bool = False
    reads: tuple[Read, ...] = ()


def gather(
    question: Question,
    hits: Sequence[Hit],
    corpus: Corpus,
    embedder: Embedder,
    *,
    top_k: int = 5,
    reader: Reads | None = None,
    openings: Openings | None = None,
) -> Evidence:
    """Rank the sentences and numbers of the hits.

    Args:
        question: analysed.
        hits: best first; none gives empty evidence without features.
        top_k: how many of the hits are looked into.
        reader: reads the most promising of them; None: similarity alone decides.
        openings: what retrieval has read of documents for this question; None: it is read here.
    """
    if not hits:
        return Evidence(question, (), (), (), None, ())
    rows = corpus.reader()
    if openings is None:
        openings = Openings(question, wanted(question), rows)
    hits = hits[:top_k]
    inside = rows.sentences_in([hit.chunk for hit in hits])
    focus = focus_of(question, openings, hits[0])
    whole, focused = embedder.embed_queries([question.text, focus])
    supports = _supports(hits, inside, whole, focused)
    reads = _read(reader, question, supports, inside, embedder)
    supports = _as_read(supports, reads)
    numbers = _numbers(question, hits, supports, rows, focused, reads)
    best = numbers[0].support.hit if numbers else supports[0].hit if supports else hits[0]
    coverage = coverage_of(question, openings, best)
    pushing, pushed = pushed_away_by(question, openings, coverage.held, best, embedder)
    return Evidence(
        question=question,
        hits=tuple(hits),
        supports=tuple(supports),
        numbers=tuple(numbers),
        features=_features(question, best, supports, numbers, coverage, pushed, reads),
        missing=coverage.missing or ((pushing,) if pushing else ()),
        span=_span(supports, reads),
        was_read=reader is not None,
        judged=reader is not None and {question.language, best.chunk.language} <= reader.languages,
        reads=tuple(reads),
    )


def _read(
    reader: Reads | None,
    question: Question,
    supports: Sequence[Support],
    inside: Inside,
    embedder: Embedder,
) -> list[Read]:
    """The most promising passages, read."""
    if reader is None:
        return []
    chosen = windows(
        [(support.sentence, support.hit.chunk) for support in supports],
        lambda chunk: inside[chunk.id][0],
        embedder.count_tokens,
        most=_READ,
        tokens=_READ_TOKENS,
    )
    return read(reader, question.text, chosen)


def _as_read(supports: Sequence[Support], reads: Sequence[Read]) -> list[Support]:
    """The sentences in their order after reading."""
    if not reads:
        return list(supports)
    found = []
    for support in supports:
        sentence = support.sentence
        answered = _answered(reads, sentence.document_id, sentence.start, sentence.end)
        score = support.score + _READ_SENTENCE * answered
        found.append(replace(support, score=score, answered=answered))
    return sorted(found, key=lambda support: -support.score)


def _answered(reads: Sequence[Read], document_id: str, start: int, end: int) -> float:
    """The largest probability that a window answers with words of this stretch of a document."""
    return max((each.answer_in(document_id, start, end) for each in reads), default=0.0)


def _span(supports: Sequence[Support], reads: Sequence[Read]) -> Span | None:
    """What the reader points at in the best sentence."""
    if not supports:
        return None
    support = supports[0]
    sentence = support.sentence
    for each in sorted(reads, key=lambda each: -each.reading.answered):
        best = each.reading.best
        if best is None or not each.window.holds(sentence):
            continue
        start, end = (each.window.start + place - sentence.start for place in (best.start, best.end))
        if 0 <= start < end <= len(sentence.text):
            answered = each.answer_in(sentence.document_id, sentence.start + start, sentence.start + end)
            return Span(support, start, end, answered)
    return None


def _supports(
    hits: Sequence[Hit], inside: Inside, whole: NDArray[np.float32], focused: NDArray[np.float32]
) -> list[Support]:
    found: dict[str, Support] = {}
    for hit in hits:
        if hit.chunk.id not in inside:
            continue  # deleted since it was found
        sentences, vectors = inside[hit.chunk.id]
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


def _numbers(  # noqa: PLR0917 - one step of `gather`
    question: Question,
    hits: Sequence[Hit],
    supports: Sequence[Support],
    reader: Reader,
    focused: NDArray[np.float32],
    reads: Sequence[Read],
) -> list[NumberFound]:
    """Numbers of the kind asked for, best first: passage, sentence and clause each have a say."""
    if not (question.wants_number or question.wants_date):
        return []
    by_sentence = {(s.sentence.document_id, s.sentence.ordinal): s for s in supports}
    by_chunk = reader.clauses_in([hit.chunk for hit in hits])
    quantities: dict[str, dict[int, Quantity]] = {}
    found = []
    for hit in hits:
        if hit.chunk.id not in by_chunk:
            continue
        clauses, vectors = by_chunk[hit.chunk.id]
        for clause, cosine in zip(clauses, (vectors @ focused).tolist(), strict=True):
            support = by_sentence.get((clause.document_id, clause.sentence))
            if support is None:
                continue
            here = quantities.get(support.sentence.id)
            if here is None:
                here = quantities[support.sentence.id] = _quantities(support.sentence)
            quantity = here.get(clause.anchor)
            if quantity is None or quantity.numbers <= question.numbers:
                continue  # a number that the question itself gives does not answer it
            penalty = _penalty(question, quantity)
            if penalty is not None:
                start = support.sentence.start + quantity.start
                answered = _answered(reads, clause.document_id, start, start + len(quantity.text))
                score = hit.score + support.focused + cosine - penalty + _READ_NUMBER * answered
                found.append(NumberFound(support, quantity, score, cosine, answered))
    unique = {(n.support.sentence.id, n.quantity.start): n for n in sorted(found, key=lambda n: n.score)}
    return sorted(unique.values(), key=lambda number: -number.score)


def _quantities(sentence: Sentence) -> dict[int, Quantity]:
    """The numbers of a sentence by where they stand in the document."""
    found = find_quantities(sentence.text, sentence.language)
    return {sentence.start + quantity.start: quantity for quantity in reversed(found)}


def _penalty(question: Question, quantity: Quantity) -> float | None:
    """What a number loses for not being of the kind asked for; None when it cannot answer at all."""
    if question.wants_date:
        return 0.0 if quantity.tells_when else None
    if question.kind == "share":
        return 0.0 if quantity.kind == "share" else _WRONG_KIND
    if question.kind == "money":
        return 0.0 if quantity.kind == "money" else _WRONG_KIND
    return _WRONG_KIND if quantity.tells_when else 0.0


def _features(  # noqa: PLR0917 - one row of a table
    question: Question,
    hit: Hit,
    supports: Sequence[Support],
    numbers: Sequence[NumberFound],
    coverage: Coverage,
    pushed: float,
    reads: Sequence[Read],
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
        pushed=pushed,
        answerable=float(bool(numbers) or not asks_for_figure),
        same_language=float(hit.chunk.language == question.language),
        read=max((each.reading.answered for each in reads), default=0.0),
        pointed=numbers[0].answered if numbers else supports[0].answered if supports else 0.0,
    )
