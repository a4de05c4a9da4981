"""The extractive engine: the short answer first, then the words it rests on, in the question's language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from index.language.lexicon import lexicon
from rag.answer import Citation
from rag.evidence import Evidence, Support
from rag.scoring import probability
from rag.short_answer import of_one_number, short_answer

# Without a short answer a second sentence is quoted too when it is at least half as likely: log 2. Chosen.
_NEAR = 0.7
_NEAREST_SHOWN = 3


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
    first, *others = evidence.supports
    short = short_answer(evidence) if evidence.reads else of_one_number(evidence.question, first)
    near = [s for s in others[:2] if first.score - s.score <= _NEAR and s.sentence.kind == "body"]
    return [first, *([] if short else near[:1])], short


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
        score=round(probability(support.score), 4),
        parallel=hit.parallel,
    )
