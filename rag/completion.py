"""Which evidence answers: that of a follow-up as it stands, or that of the question completed from the turns before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from index.corpus import Corpus
from rag.answer import Turn
from rag.conversation import Leaning, meant, quoted_documents
from rag.evidence import Evidence
from rag.question import Question
from rag.scoring import log_odds

Found = tuple[Evidence, float]
"""Evidence, and when its passages were found."""

Look = Callable[[Question, frozenset[str] | None], Found]
"""Gathers the evidence for a question from some documents; None: from all."""

# A question as it stands is kept without a second look when its evidence is at least this likely to answer, and likely
# enough to be answered. One with a sign of leaning gets the second look however well some document seems to answer it.
# Chosen.
_ENOUGH: dict[Leaning, float] = {"no": 0.0, "perhaps": 0.5, "likely": math.inf, "surely": math.inf}
# What the completed question may be less likely by and still be taken, in log odds: 2 takes it at 0.5 against 0.88.
# On XQuAD conversations 1 to 3 did alike. Where documents say the same of different places, 1 is too little: the wrong
# one answers the bare question well.
_PREFERRED: dict[Leaning, float] = {"no": 0.0, "perhaps": 0.0, "likely": 2.0, "surely": 2.0}
# How likely its evidence must be to answer at least: what is hardly a follow-up must not turn a refusal into an answer
# about the old topic. Chosen, seen to hold on XQuAD conversations (docs/conversation.md).
_LEAST: dict[Leaning, float] = {"no": 0.4, "perhaps": 0.4, "likely": 0.3, "surely": 0.0}
# Likely enough to look no further. Chosen.
_SURE = 0.5


def choose(
    asked: Question,
    history: Sequence[Turn],
    look: Look,
    corpus: Corpus,
    *,
    among: frozenset[str] | None,
    threshold: float,
) -> tuple[Question, Evidence, float]:
    """The question as it is to be answered, its evidence, and when its retrieval was done.

    The documents that were quoted last are looked into first: there a follow-up mostly finds its answer, and a
    question about something else does not. At most four looks are taken, one for a question that stands alone and is
    answered.

    Args:
        look: gathers evidence.
        among: the documents that may be looked into; None: all.
        threshold: from here on evidence is taken for an answer: no completing may lose one.
    """
    if not history:
        return (asked, *look(asked, among))
    said = meant(asked, history)
    asked, leans = said.asked, said.leans
    plain, retrieved = look(asked, among)
    best = plain.answered
    if said.completed is None or best >= max(_ENOUGH[leans], threshold):
        return asked, plain, retrieved
    quoted = frozenset(quoted_documents(history, corpus))
    within = quoted if among is None else quoted & among
    chosen, evidence, needed = asked, plain, log_odds(best) - _PREFERRED[leans]
    least = max(_LEAST[leans], threshold if best >= threshold else 0.0)
    for question, inside in _looks(asked, said.completed, leans, within, among):
        found, retrieved = look(question, inside)
        reached = found.answered
        if reached and reached >= least and log_odds(reached) >= needed and _holds_own_names(asked, found):
            chosen, evidence, best, needed = said.completed, found, reached, log_odds(reached)
            if best >= _SURE:
                break
    if leans in {"no", "perhaps"} and _same_sentence(plain, evidence):
        return asked, plain, retrieved  # it needed no completing
    return chosen, evidence, retrieved


def _looks(
    asked: Question,
    completed: Question,
    leans: Leaning,
    quoted: frozenset[str],
    among: frozenset[str] | None,
) -> list[tuple[Question, frozenset[str] | None]]:
    """What is looked for, and where, in order.

    Without a clear sign the question is looked for as it stands, in the documents quoted last: words of the old topic
    would make evidence for anything about it. Of XQuAD questions that nothing answers 0.62 were refused with them,
    0.70 without, 0.72 without the history.
    """
    if completed.own is None:  # it names something else, perhaps of another document
        return [(completed, among)]
    if leans == "surely":
        # "Who is its director?": the quoted document may answer the words alone better than with the old topic's.
        within = [(completed, quoted), (asked, quoted)] if quoted else []
        return [*within, (completed, among)]
    if quoted:
        return [(asked, quoted)]
    return [(completed, among)] if completed.names else []


def _holds_own_names(asked: Question, found: Evidence) -> bool:
    """Whether the evidence holds the names that the question itself gives: another's answer is no answer."""
    return not {" ".join(name) for name in asked.names} & set(found.missing)


def _same_sentence(one: Evidence, other: Evidence) -> bool:
    ids = [evidence.supports[0].sentence.id for evidence in (one, other) if evidence.supports]
    return len(ids) == 2 and ids[0] == ids[1]
