"""Which evidence answers: that of a follow-up as it stands, or that of the question completed from the turns before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from index.corpus import Corpus
from rag import refusal
from rag.answer import Turn
from rag.conversation import Leaning, candidates, leaning, quoted_documents
from rag.evidence import Evidence
from rag.question import Question

Found = tuple[Evidence, float]
Look = Callable[[Question, Sequence[str] | None], Found]
"""Gathers the evidence for a question from some documents, or from all that the caller allows (None)."""

# A question as it stands is kept without a second look when its evidence is at least this likely to answer. One that
# surely leans on the turns before is never complete, however well some document seems to answer it.
_ENOUGH: dict[Leaning, float] = {"no": 0.3, "perhaps": 0.5, "surely": math.inf}
# What the completed question may be less likely by and still be taken, in log odds: 2 takes it at 0.4 against 0.8.
# On XQuAD conversations 1 to 3 did alike for follow-ups and cost complete questions nothing.
_PREFERRED: dict[Leaning, float] = {"no": 0.0, "perhaps": 0.0, "surely": 2.0}
# Likely enough to look no further.
_ANSWERS = 0.5


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
    question about something else does not. At most three looks are taken, one for a question that stands alone.

    Args:
        look: gathers evidence.
        languages, documents: what `look` is limited to when it is given no documents.
    """
    asked, *completed = candidates(asked, history)
    evidence, retrieved = look(asked, None)
    leans = leaning(asked)
    best = _likely(evidence)
    if not completed or best >= _ENOUGH[leans]:
        return asked, evidence, retrieved
    chosen, needed = asked, _log_odds(best) - _PREFERRED[leans]
    for within in _places(completed[0], leans, history, corpus, languages, documents):
        found, retrieved = look(completed[0], within)
        reached = _likely(found)
        if reached and _log_odds(reached) >= needed and _holds_own_names(asked, found):
            chosen, evidence, best, needed = completed[0], found, reached, _log_odds(reached)
            if best >= _ANSWERS:
                break
    return chosen, evidence, retrieved


def _places(  # noqa: PLR0917 - one step of `choose`
    completed: Question,
    leans: Leaning,
    history: Sequence[Turn],
    corpus: Corpus,
    languages: Sequence[str] | None,
    documents: Sequence[str] | None,
) -> list[Sequence[str] | None]:
    """Where a completed question is looked for: in the documents quoted last, then, where names or a cue tell that it
    is one, in all."""
    places: list[Sequence[str] | None] = []
    # One that names something else asks about another place, perhaps of another document.
    if completed.own is not None:
        allowed = corpus.document_ids(languages=languages, documents=documents)
        quoted = [document_id for document_id in quoted_documents(history, corpus) if document_id in allowed]
        places += [quoted] if quoted else []
    if leans == "surely" or (completed.names and not places):
        places.append(None)
    return places


def _holds_own_names(asked: Question, found: Evidence) -> bool:
    """Whether the evidence holds the names that the question itself gives: another's answer is no answer."""
    return not {" ".join(name) for name in asked.names} & set(found.missing)


def _likely(evidence: Evidence) -> float:
    if evidence.features is None:
        return 0.0
    return refusal.probability(evidence.features, read=evidence.was_read)


def _log_odds(probability: float) -> float:
    inside = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log(inside / (1 - inside))
