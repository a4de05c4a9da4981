"""Which evidence answers: that of a follow-up as it stands, or that of the question completed from the turns before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from index.corpus import Corpus
from rag.answer import Turn
from rag.conversation import Leaning, candidates, leaning, quoted_documents
from rag.evidence import Evidence
from rag.question import Question
from rag.scoring import log_odds

Found = tuple[Evidence, float]
Look = Callable[[Question, Sequence[str] | None], Found]
"""Gathers the evidence for a question from some documents, or from all that the caller allows (None)."""

# A question as it stands is kept without a second look when its evidence is at least this likely to answer. One with
# a sign of leaning gets the second look however well some document seems to answer it.
_ENOUGH: dict[Leaning, float] = {"no": 0.3, "perhaps": 0.5, "likely": math.inf, "surely": math.inf}
# What the completed question may be less likely by and still be taken, in log odds: 2 takes it at 0.5 against 0.88.
# On XQuAD conversations 1 to 3 did alike. Where documents say the same of different places, 1 is too little: the wrong
# one answers the bare question well.
_PREFERRED: dict[Leaning, float] = {"no": 0.0, "perhaps": 0.0, "likely": 2.0, "surely": 2.0}
# How likely its evidence must be to answer at least: what is hardly a follow-up must not turn a refusal into an answer
# about the old topic.
_LEAST: dict[Leaning, float] = {"no": 0.4, "perhaps": 0.4, "likely": 0.3, "surely": 0.0}
# From here on evidence is taken for an answer (the default of RAG_REFUSAL_THRESHOLD): no completing may lose one.
_ANSWERED = 0.3
# Likely enough to look no further.
_SURE = 0.5


def choose(
    asked: Question,
    history: Sequence[Turn],
    look: Look,
    corpus: Corpus,
    *,
    languages: Sequence[str] | None = None,
    documents: Sequence[str] | None = None,
) -> tuple[Question, Evidence, float]:
    """The question as it is to be answered, its evidence, and when its retrieval was done.

    The documents that were quoted last are looked into first: there a follow-up mostly finds its answer, and a
    question about something else does not. At most three looks are taken, one for a question that stands alone and is
    answered.

    Args:
        look: gathers evidence.
        languages, documents: what `look` is limited to when it is given no documents.
    """

    def quoted() -> list[str]:
        allowed = corpus.document_ids(languages=languages, documents=documents)
        return [document_id for document_id in quoted_documents(history, corpus) if document_id in allowed]

    asked, *completed = candidates(asked, history)
    plain, retrieved = look(asked, None)
    if not completed:
        return asked, plain, retrieved
    leans = leaning(asked)
    best = plain.answered
    if best >= _ENOUGH[leans]:
        return asked, plain, retrieved
    chosen, evidence, needed = asked, plain, log_odds(best) - _PREFERRED[leans]
    least = max(_LEAST[leans], _ANSWERED if best >= _ANSWERED else 0.0)
    for question, within in _looks(asked, completed[0], leans, quoted()):
        found, retrieved = look(question, within)
        reached = found.answered
        if reached and reached >= least and log_odds(reached) >= needed and _holds_own_names(asked, found):
            chosen, evidence, best, needed = completed[0], found, reached, log_odds(reached)
            if best >= _SURE:
                break
    if leans in {"no", "perhaps"} and _same_sentence(plain, evidence):
        return asked, plain, retrieved  # it needed no completing
    return chosen, evidence, retrieved


def _looks(
    asked: Question, completed: Question, leans: Leaning, quoted: Sequence[str]
) -> list[tuple[Question, Sequence[str] | None]]:
    """What is looked for, and where, in order.

    Without a clear sign the question is looked for as it stands, in the documents quoted last: words of the old topic
    would make evidence for anything about it. Of XQuAD questions that nothing answers 0.62 were refused with them,
    0.70 without, 0.72 without the history.
    """
    if completed.own is None:  # it names something else, perhaps of another document
        return [(completed, None)]
    if leans == "surely":
        return [(completed, quoted), (completed, None)] if quoted else [(completed, None)]
    if quoted:
        return [(asked, quoted)]
    return [(completed, None)] if completed.names else []


def _holds_own_names(asked: Question, found: Evidence) -> bool:
    """Whether the evidence holds the names that the question itself gives: another's answer is no answer."""
    return not {" ".join(name) for name in asked.names} & set(found.missing)


def _same_sentence(one: Evidence, other: Evidence) -> bool:
    ids = [evidence.supports[0].sentence.id for evidence in (one, other) if evidence.supports]
    return len(ids) == 2 and ids[0] == ids[1]
