"""The extractive engine: the short answer first, then the words it rests on, in the question's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.language.lexicon import lexicon
from index.language.quantities import find_quantities
from index.language.terms import fold_digits, split_words
from rag.answer import Citation
from rag.evidence import Evidence, Support
from rag.names import find_name

# A second sentence is quoted too when it scores within this of the first. Chosen by eye, not fitted.
_NEAR = 0.03
_NEAREST_SHOWN = 3
# The reader's span is the short answer when it is this sure and the span this short. Chosen, not fitted.
_SURE = 0.5
_SHORT_WORDS = 5
_EDGES = " \t\n.,;:!?()[]\"'“”‘’«»।"
_EXPLAINED = frozenset({"reason", "manner"})


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer's text with its citations, before it gets an id and timings."""

    text: str
    short: str | None
    citations: tuple[Citation, ...]


def answer(evidence: Evidence) -> Draft:
    """Answer from the evidence; it must hold at least one sentence."""
    question = evidence.question
    notices = lexicon(question.language).notices
    chosen, short = _choose(evidence)
    citations = tuple(_citation(support, marker) for marker, support in enumerate(chosen, start=1))
    template = notices["answer"] if short else notices["answer_quote"]
    parts = [template.format(short=short, quote=citations[0].quote, marker="[1]")]
    parts += [
        notices["also"].format(quote=citation.quote, marker=f"[{citation.marker}]")
        for citation in citations[1:]
    ]
    return Draft(text="\n\n".join(parts), short=short, citations=citations)


def refuse(evidence: Evidence, reason: str) -> Draft:
    """Say in the question's language that the documents do not hold it; the citations are the nearest passages."""
    notices = lexicon(evidence.question.language).notices
    nearest = tuple(
        _citation(support, marker)
        for marker, support in enumerate(_one_each(evidence.supports)[:_NEAREST_SHOWN], start=1)
    )
    if reason == "empty":
        text = notices["refusal"]
    elif reason == "name":
        missing = evidence.missing[0]
        key = "refusal_number" if missing.isdigit() else "refusal_name"
        text = notices[key].format(name=missing)
    else:
        text = notices["refusal"]
    return Draft(text=text, short=None, citations=nearest)


def _choose(evidence: Evidence) -> tuple[list[Support], str | None]:
    """The sentences to quote and the short answer inside the first."""
    question = evidence.question
    if evidence.numbers:
        best = evidence.numbers[0]
        return [best.support], best.quantity.short
    first = evidence.supports[0]
    short = _pointed_at(evidence)
    if short is None and question.kind in {"person", "place"}:
        short = find_name(first.sentence, question)
        if short:
            return [first], short
    chosen = [first]
    for support in evidence.supports[1:3]:
        if first.score - support.score <= _NEAR and support.sentence.kind == "body":
            chosen.append(support)
            break
    return chosen, short


def _pointed_at(evidence: Evidence) -> str | None:
    """The few words that the reader is sure of; a number among them with its qualifier."""
    span = evidence.span
    if span is None or span.answered < _SURE or evidence.question.kind in _EXPLAINED:
        return None
    words = split_words(span.text)
    if not 0 < len(words) <= _SHORT_WORDS:
        return None
    sentence = span.support.sentence
    inside = [
        quantity
        for quantity in find_quantities(
            sentence.text, sentence.language, weak=evidence.question.kind == "count"
        )
        if span.start < quantity.end and quantity.start < span.end
    ]
    leading = [q for q in inside if not sentence.text[span.start : q.start].strip(_EDGES)]
    if len(inside) == 1 and leading and not leading[0].names:
        return leading[0].short
    return fold_digits(span.text).strip(_EDGES) or None


def _one_each(supports: Sequence[Support]) -> list[Support]:
    """The best sentence of each passage."""
    seen: set[str] = set()
    kept = []
    for support in supports:
        if support.hit.chunk.id not in seen:
            seen.add(support.hit.chunk.id)
            kept.append(support)
    return kept


def _citation(support: Support, marker: int) -> Citation:
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
        score=round(support.score, 4),
        parallel=hit.parallel,
    )
