"""Several questions in one: each is answered or refused by itself, and the answers stand below each other."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace

import regex

from rag.answer import Answer, Citation, Confidence, Grounding, Timings, Turn
from rag.asking import Ask

_MARKER = regex.compile(r"\[(\d+)\]")


def asked_after(ask: Ask, part: str, before: Sequence[Answer]) -> Ask:
    """One question of a text that asks several, as a turn after those that stand before it."""
    turns = [
        turn
        for answer in before
        for turn in (Turn("user", answer.question), Turn("assistant", answer.answer))
    ]
    return replace(ask, text=part, history=(*ask.history, *turns))


def said_of(answers: Sequence[Answer], headings: Sequence[str] | None = None) -> list[str]:
    """What is said of each question below its heading (None: the question), with markers that count through."""
    texts, counted = [], 0
    for place, answer in enumerate(answers):
        heading = answer.question if headings is None else headings[place]
        text = _MARKER.sub(lambda marker, by=counted: f"[{int(marker[1]) + by}]", answer.answer)
        texts.append(f"{heading}\n{text}")
        counted += len(_quoted(answer))
    return texts


def joined(
    question: str,
    answers: Sequence[Answer],
    *,
    headings: Sequence[str] | None = None,
    closing: str | None = None,
) -> Answer:
    """The answers to the questions of one text as one answer; `parts` holds each.

    Args:
        headings: what each stands below; None: its question.
        closing: what is said of all of them, last.
    """
    citations: list[Citation] = []
    for answer in answers:
        citations += [replace(each, marker=len(citations) + each.marker) for each in _quoted(answer)]
    shorts = [answer.short_answer for answer in answers]
    first = answers[0]
    refused = all(answer.refused for answer in answers)
    return Answer(
        id=uuid.uuid4().hex,
        question=question,
        standalone_question=question,
        language=first.language,
        answer="\n\n".join([*said_of(answers, headings), *([closing] if closing else [])]),
        short_answer="; ".join(short for short in shorts if short) if all(shorts) and not headings else None,
        refused=refused,
        refusal_reason=first.refusal_reason if refused else None,
        engine=first.engine,
        model=next((answer.model for answer in answers if answer.model), None),
        grounding=_grounding(answers),
        citations=tuple(citations) if not refused else first.citations,
        timings_ms=Timings(
            retrieve=round(sum(answer.timings_ms.retrieve for answer in answers), 2),
            answer=round(sum(answer.timings_ms.answer for answer in answers), 2),
            total=round(sum(answer.timings_ms.total for answer in answers), 2),
        ),
        notice=next((answer.notice for answer in answers if answer.notice), None),
        confidence=_confidence(answers),
        parts=tuple(answers),
    )


def _quoted(answer: Answer) -> Sequence[Citation]:
    """What an answer rests on; the nearest passages of a refusal are nothing."""
    return () if answer.refused else answer.citations


def _grounding(answers: Sequence[Answer]) -> Grounding:
    found = {answer.grounding for answer in answers if not answer.refused}
    if not found:
        return "none"
    return "verified" if found == {"verified"} else "partial"


def _confidence(answers: Sequence[Answer]) -> Confidence:
    found = {answer.confidence for answer in answers}
    return found.pop() if len(found) == 1 else "perhaps"
