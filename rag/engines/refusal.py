"""The engine that says in the question's language that the documents do not hold the answer."""

from __future__ import annotations

from collections.abc import Sequence

from rag.engines.engine import Draft, Drafting, Engine
from rag.engines.quoting import citation
from rag.evidence import Evidence, Support
from rag.look import Look
from rag.notices import notices_in

# Chosen: what a reader takes in at a glance.
_NEAREST_SHOWN = 3


class Refusal(Engine):
    """Answers what cannot be answered, and nothing else.

    Args:
        threshold: the probability of being answered (`rag.scoring`) below which a question is refused; 0 refuses
            only what has no evidence.
    """

    name = "extractive"  # of the contract: what no model wrote

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold

    def draft(self, look: Look, *, stop: object = None) -> Drafting:
        """See `Engine.draft`."""
        del stop
        cause = reason(look.evidence, threshold=self._threshold)
        if cause is not None:
            yield refused(look.evidence, cause, engine=self.name)


def reason(evidence: Evidence, *, threshold: float) -> str | None:
    """Why the question must be refused: "empty", "name", "unanswered"; None when it can be answered."""
    if not evidence.supports:
        return "empty"
    if threshold <= 0 or evidence.answered >= threshold:
        return None
    return "name" if evidence.absent else "unanswered"


def refused(evidence: Evidence, cause: str, *, engine: str, model: str | None = None) -> Draft:
    """The refusal for a cause; its citations are the nearest passages."""
    notices = notices_in(evidence.question.language)
    text = notices["refusal"]
    if cause == "name":
        absent = evidence.absent[0]
        text = notices["refusal_number" if absent.isdigit() else "refusal_name"].format(name=absent)
    nearest = _one_each(evidence.supports)[:_NEAREST_SHOWN]
    return Draft(
        engine=engine,
        text=text,
        citations=tuple(citation(support, marker) for marker, support in enumerate(nearest, start=1)),
        refused=cause,
        model=model,
    )


def _one_each(supports: Sequence[Support]) -> list[Support]:
    """The best sentence of each passage."""
    best: dict[str, Support] = {}
    for support in supports:
        best.setdefault(support.hit.chunk.id, support)
    return list(best.values())
