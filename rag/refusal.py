"""Whether the evidence answers: by the probability that `rag.scoring` gives it."""

from __future__ import annotations

from rag.evidence import Evidence


def reason(evidence: Evidence, *, threshold: float) -> str | None:
    """Why the question must be refused: "empty", "name", "unanswered"; None when it can be answered.

    Args:
        threshold: probability below which the evidence does not answer; 0 refuses only what has no evidence.
    """
    if not evidence.supports:
        return "empty"
    if threshold <= 0 or evidence.answered >= threshold:
        return None
    return "name" if evidence.missing else "unanswered"
