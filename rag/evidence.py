"""From hits to evidence: the passages are read, and the sentences stand in the order in which they answer.

The reader reads each of the best passages whole. How far its best span within a sentence stands above "no answer", how
sure it is that the passage answers at all, and how near question, passage and sentence are to each other make one
score, the log odds that the sentence answers (`rag.scoring`). Without a reader nearness alone decides. The first
sentence's score, with what its document holds of the question's names and numbers, says how likely the question is
answered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from index.language.quantities import find_quantities
from index.types import Sentence
from rag import scoring
from rag.answer import Hit
from rag.matching.absent import absent
from rag.matching.coverage import Coverage, coverage_of
from rag.matching.query import Query
from rag.question import Question
from rag.reader.clauses import read_clauses
from rag.reader.encode import SpanScore
from rag.reader.passages import Judging, Read, Reads, Window, no_judge, read
from rag.scoring import LONGEST_LEAD, AnswerFeatures, SentenceFeatures
from rag.settling import Settled, settled
from rag.shape import shape_of

AS_LIKELY = 0.7
"""A sentence this far behind the best in log odds is at least half as likely to answer: log 2. Chosen."""
# Chosen: more answers side by side are a list to search through.
_MOST_RIVALS = 2
# The sentences of each hit's chunk with their vectors, by the chunk's id.
Inside = Mapping[str, tuple[Sequence[Sentence], NDArray[np.float32]]]


@dataclass(frozen=True, slots=True)
class Support:
    """A sentence that may answer, with the hit it stands in.

    `score` orders sentences, larger first: the log odds that it answers. `span` is what the reader points at within it,
    in code points of the sentence; None where it was not read.
    """

    sentence: Sentence
    hit: Hit
    score: float
    features: SentenceFeatures
    span: SpanScore | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for an answer.

    `inside` are the sentences of the hits, `supports` those that may answer, best first. `features` are what
    `answered`, the probability that the question is answered, rests on; None and 0 where there is no evidence.
    `missing` are names and numbers of the question that the best document does not hold, `absent` those that can be
    said to stand in no document, `reads` the windows that were read: none without a reader. `clauses` are parts of the
    best sentence, read by themselves, where a number or date is asked for and it holds several. `settled` is what the
    best sentence says to a question that yes or no answers; None where none is sure, for other questions, and without
    a judge. `rivals` are the best sentences of other sources that answer about as likely and hold as much of the
    question's names and numbers.
    """

    question: Question
    hits: tuple[Hit, ...] = ()
    inside: Inside = field(default_factory=dict)
    supports: tuple[Support, ...] = ()
    features: AnswerFeatures | None = None
    answered: float = 0.0
    missing: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    reads: tuple[Read, ...] = ()
    clauses: tuple[Read, ...] = ()
    settled: Settled | None = None
    rivals: tuple[Support, ...] = ()


def gather(
    query: Query,
    hits: Sequence[Hit],
    *,
    top_k: int = 5,
    reader: Reads | None = None,
    judging: Judging = no_judge,
) -> Evidence:
    """Read the hits and rank their sentences.

    Args:
        query: the question and the corpus that the hits are of.
        hits: best first; none gives empty evidence.
        top_k: how many of the hits are looked into.
        reader: reads them; None: similarity alone decides.
        judging: gives what answers yes or no.
    """
    question, hits = query.question, hits[:top_k]
    if not hits:
        return Evidence(question)
    inside = query.rows.sentences_in([hit.chunk for hit in hits])
    reads = [] if reader is None else read(reader, question.text, [_whole(hit) for hit in hits])
    supports = _supports(hits, inside, query.vector, reads)
    if not supports:
        return Evidence(question, hits=tuple(hits), inside=inside, reads=tuple(reads))
    settled = _settled(question, supports, inside, judging)
    if settled is not None:
        supports.insert(0, supports.pop(settled.place))
    coverage = coverage_of(question, query.openings, supports[0].hit)
    features = _features(question, supports, coverage)
    answered = scoring.answered(features, question.language, read=bool(reads))
    return Evidence(
        question=question,
        hits=tuple(hits),
        inside=inside,
        supports=tuple(supports),
        features=features,
        answered=answered if settled is None else max(answered, settled.probability),
        missing=coverage.missing,
        absent=absent(
            question,
            query.openings.asked,
            held=coverage.held,
            digits=coverage.digits,
            language=supports[0].hit.chunk.language,
            frequencies=query.rows.frequencies,
        ),
        reads=tuple(reads),
        clauses=clauses_of(question, supports[0], reader),
        settled=settled,
        rivals=_rivals(query, supports, coverage) if reads else (),
    )


def _rivals(query: Query, supports: Sequence[Support], coverage: Coverage) -> tuple[Support, ...]:
    """The best sentence of each other source that answers about as likely; language versions are one source."""
    first = supports[0]
    seen = {first.hit.chunk.document_id, *(version.document_id for version in first.hit.parallel)}
    found: list[Support] = []
    for support in supports:
        if len(found) == _MOST_RIVALS or first.score - support.score > AS_LIKELY:
            break
        hit = support.hit
        if hit.chunk.document_id in seen:
            continue
        seen |= {hit.chunk.document_id, *(version.document_id for version in hit.parallel)}
        held = coverage_of(query.question, query.openings, hit)
        if held.names >= coverage.names and held.numbers >= coverage.numbers:
            found.append(support)
    return tuple(found)


def _settled(
    question: Question, supports: Sequence[Support], inside: Inside, judging: Judging
) -> Settled | None:
    """What settles a question that yes or no answers."""
    judge = judging() if shape_of(question) == "yes_no" else None
    if judge is None:
        return None
    promising = [(support.sentence, support.hit) for support in supports]
    sentences = {chunk: found for chunk, (found, _) in inside.items()}
    return settled(question.text, promising, sentences, judge)


def clauses_of(question: Question, support: Support, reader: Reads | None) -> tuple[Read, ...]:
    """The parts of a sentence that hold its numbers, each read by itself.

    () where neither a number or date is asked for nor the reader points at one.
    """
    if reader is None or not (question.wants_number or question.wants_date or _points_at_number(support)):
        return ()
    return read_clauses(reader, question.own or question.text, support.sentence)


def _points_at_number(support: Support) -> bool:
    sentence, span = support.sentence, support.span
    return span is not None and any(
        quantity.start < span.end and span.start < quantity.end and not quantity.names
        for quantity in find_quantities(sentence.text, sentence.language)
    )


def _whole(hit: Hit) -> Window:
    """A hit's passage as one window."""
    chunk = hit.chunk
    return Window(chunk.document_id, chunk.start, chunk.end, chunk.text)


def _supports(
    hits: Sequence[Hit], inside: Inside, vector: NDArray[np.float32], reads: Sequence[Read]
) -> list[Support]:
    """The sentences of the hits, headings apart, best first; one that stands in several hits once."""
    found: dict[str, Support] = {}
    for place, hit in enumerate(hits):
        if hit.chunk.id not in inside:
            continue  # deleted since it was found
        reading = reads[place] if reads else None
        sentences, vectors = inside[hit.chunk.id]
        for sentence, cosine in zip(sentences, (vectors @ vector).tolist(), strict=True):
            if sentence.kind == "heading":
                continue
            support = _support(sentence, hit, cosine, hits[0].score - hit.score, reading)
            known = found.get(sentence.id)
            if known is None or known.score < support.score:
                found[sentence.id] = support
    return sorted(found.values(), key=lambda support: -support.score)


def _support(sentence: Sentence, hit: Hit, cosine: float, behind: float, reading: Read | None) -> Support:
    span = None if reading is None else reading.best_in(sentence)
    features = SentenceFeatures(
        behind=behind,
        cosine=cosine,
        margin=None if span is None else span.margin,
        answers=None if reading is None else reading.reading.logit,
    )
    return Support(sentence, hit, scoring.sentence(features), features, span)


def _features(question: Question, supports: Sequence[Support], coverage: Coverage) -> AnswerFeatures:
    best = supports[0]
    elsewhere = [s.score for s in supports if s.sentence.document_id != best.sentence.document_id]
    return AnswerFeatures(
        score=best.score,
        lead=min(best.score - max(elsewhere, default=best.score), LONGEST_LEAD),
        passage=best.hit.score - best.hit.lexical,
        names=coverage.names,
        numbers=coverage.numbers,
        same_language=float(best.hit.chunk.language == question.language),
    )
