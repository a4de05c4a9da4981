"""Follow-ups: a question that leans on the turns before it becomes a question of its own, by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answer import Turn
from rag.question import Question, analyse

# A question with more words than this is taken as complete.
_SHORT = 12


def standalone(question: Question, history: Sequence[Turn]) -> Question | None:
    """The question completed from the last question before it; None when it needs no completing.

    What the question asks for stays its own. The earlier question lends its names; where it writes none, as
    scripts without capitals do, all of it goes in front.
    """
    earlier = [turn.content for turn in history if turn.role == "user" and turn.content.strip()]
    if not earlier or question.names or len(question.text.split()) > _SHORT:
        return None
    before = analyse(earlier[-1], language=question.language)
    names = ", ".join(" ".join(name) for name in before.names)
    return replace(
        question,
        text=f"{question.text} ({names})" if names else f"{earlier[-1].strip()} {question.text}",
        own=question.text,
        names=before.names,
        numbers=before.numbers | question.numbers,
    )
