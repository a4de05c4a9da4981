"""Follow-ups: a question that leans on the turns before it becomes a question of its own, by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rag.answer import Turn
from rag.question import Question, analyse

# A question with more words than this is taken as complete.
_SHORT = 12


def standalone(question: Question, history: Sequence[Turn]) -> Question | None:
    """The question with the last question before it in front; None when it needs no completing.

    What the question asks for stays its own; the earlier question lends its names and topic.
    """
    earlier = [turn.content for turn in history if turn.role == "user" and turn.content.strip()]
    if not earlier or question.names or len(question.text.split()) > _SHORT:
        return None
    before = analyse(earlier[-1], language=question.language)
    return replace(
        question,
        text=f"{earlier[-1].strip()} {question.text}",
        names=before.names,
        numbers=before.numbers | question.numbers,
    )
