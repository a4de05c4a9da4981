"""Which evidence answers: that of a follow-up as it stands, or that of the question completed from the turns before.

The documents that were quoted last come first: there a follow-up mostly finds its answer, beside the sentence quoted,
and a question about something else does not. A fragment that names another document is looked for in that alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from rag.answer import Turn
from rag.conversation import Leaning, Meant, meant, own_names, quoted_documents
from rag.evidence import Evidence
from rag.named import Named
from rag.question import Question
from rag.said import last_quotes
from rag.scoring import log_odds


class Gathered(NamedTuple):
    """A question as it is looked for, its evidence, and when its passages were found."""

    question: Question
    evidence: Evidence
    retrieved: float

    @property
    def answered(self) -> float:
        """The probability that the evidence answers."""
        return self.evidence.answered


Gather = Callable[[Question, frozenset[str] | None, frozenset[str]], Gathered]
"""Gathers the evidence for a question from some documents (None: from all), some sentences left out, by id."""

# How likely evidence must be to answer at least, to be taken for a completed question: what is hardly a follow-up must
# not turn a refusal into an answer about the old topic. Chosen, seen to hold on XQuAD conversations
# (docs/conversation.md).
_LEAST: dict[Leaning, float] = {"no": 0.4, "perhaps": 0.4, "likely": 0.3, "surely": 0.0}
# What evidence may be less likely by than that of the question as it stands, and still be taken, in log odds: 2 takes
# it at 0.5 against 0.88. In the documents quoted last, and elsewhere for the completed question. Chosen: on XQuAD
# conversations 1 to 3 did alike; where documents say the same of different places, the wrong one answers the bare
# question well.
_PREFERRED: dict[Leaning, float] = {"no": 0.0, "perhaps": 2.0, "likely": 2.0, "surely": 6.0}
_PREFERRED_ELSEWHERE: dict[Leaning, float] = {"no": 0.0, "perhaps": 0.0, "likely": 2.0, "surely": 2.0}
# A fragment's evidence answers from this probability on. Chosen: as the threshold of a refusal.
_LEAST_OF_FRAGMENT = 0.3
# Likely enough to look no further. Chosen.
_SURE = 0.5


def choose(
    asked: Question,
    history: Sequence[Turn],
    gather: Gather,
    named: Named,
    *,
    among: frozenset[str] | None,
    threshold: float,
) -> Gathered:
    """The question as it is to be answered, with its evidence.

    A question that stands alone and is answered costs one look, a follow-up at most four.

    Args:
        gather: finds evidence.
        named: tells which documents are named.
        among: the documents that may be looked into; None: all.
        threshold: from here on evidence is taken for an answer.
    """
    if not history:
        return gather(asked, among, frozenset())
    said = meant(asked, history, named)
    if said.completed and said.completed[0].own is None and said.leans == "surely":
        return _of_fragment(said, history, gather, named, among=among, threshold=threshold)
    plain = gather(said.asked, among, frozenset())
    if not said.completed or (said.leans == "no" and plain.answered >= threshold):
        return plain
    quoted = _within(frozenset(quoted_documents(history, named.corpus)), among)
    if (
        said.leans == "perhaps"
        and plain.answered >= max(_SURE, threshold)
        and (not quoted or _names_its_document(plain, quoted, named))
    ):
        return plain
    least = max(_LEAST[said.leans], threshold if plain.answered >= threshold else 0.0)
    chosen, reached = plain, 0.0
    for question, inside in _looks(said, quoted, among):
        found = gather(question, inside, frozenset())
        preferred = _PREFERRED if inside == quoted else _PREFERRED_ELSEWHERE
        enough = log_odds(found.answered) >= log_odds(plain.answered) - preferred[said.leans]
        better = found.answered and found.answered >= max(least, reached)
        if enough and better and _holds_own_names(said.asked, found.evidence):
            chosen, reached = found._replace(question=said.completed[0]), found.answered
            if reached >= _SURE:
                break
    if said.leans in {"no", "perhaps"} and _same_sentence(plain.evidence, chosen.evidence):
        return plain  # it needed no completing
    return chosen


def _looks(
    said: Meant, quoted: frozenset[str], among: frozenset[str] | None
) -> list[tuple[Question, frozenset[str] | None]]:
    """What is looked for, and where, in order.

    Without a clear sign the question is looked for as it stands, in the documents quoted last: words of the old topic
    would make evidence for anything about it. Of XQuAD questions that nothing answers 0.62 were refused with them,
    0.70 without, 0.72 without the history.
    """
    asked, completed = said.asked, said.completed[0]
    if said.leans == "surely":
        # "Who is its director?": the quoted document may answer the words alone better than with the old topic's.
        within = [(completed, quoted), (asked, quoted)] if quoted else []
        return [*within, (completed, among)]
    if quoted:
        return [(asked, quoted)]
    return [(completed, among)] if completed.names else []


def _of_fragment(
    said: Meant,
    history: Sequence[Turn],
    gather: Gather,
    named: Named,
    *,
    among: frozenset[str] | None,
    threshold: float,
) -> Gathered:
    """What a fragment that names something else is answered by: never by the sentence that was quoted just now, unless
    that holds its words."""
    least = max(_LEAST_OF_FRAGMENT, threshold)
    first, *others = said.completed
    tried: list[Gathered] = []
    if documents := _within(said.documents, among):
        tried.append(gather(first, documents, frozenset()))
        if tried[0].answered >= _SURE:
            return tried[0]
    if within := _within(frozenset(quoted_documents(history, named.corpus)), among):
        old = _said_already(said, history, named)
        readings = (others or [first]) if documents else said.completed
        tried += [gather(question, within, old) for question in readings]
    held = [found for found in tried if _holds_own_names(said.asked, found.evidence)]
    best = max(held, key=lambda found: found.answered, default=None)
    if best is not None and best.answered >= (least if said.goes_on else _SURE):
        return best
    tried.append(gather(first, among, frozenset()))
    if not said.goes_on:
        tried.append(gather(said.asked, among, frozenset()))
    held = [found for found in tried if _holds_own_names(said.asked, found.evidence)]
    if not held:  # what it names stands in none of them
        return gather(said.asked, among, frozenset())
    return max(held, key=lambda found: found.answered)


def _names_its_document(found: Gathered, quoted: frozenset[str], named: Named) -> bool:
    """Whether a question holds words by which the document that answers it is told from those quoted last."""
    best = [support.sentence.document_id for support in found.evidence.supports[:1]]
    return named.tells_apart(found.question, best, quoted)


def _within(documents: frozenset[str], among: frozenset[str] | None) -> frozenset[str]:
    return documents if among is None else documents & among


def _said_already(said: Meant, history: Sequence[Turn], named: Named) -> frozenset[str]:
    """The sentences that were quoted last and do not hold what the fragment names."""
    ids = {quoted.sentence.id: quoted.sentence for quoted in last_quotes(history, named.corpus)}
    return frozenset(key for key, sentence in ids.items() if not named.holds(said.asked, sentence))


def _holds_own_names(asked: Question, found: Evidence) -> bool:
    """Whether the evidence holds the names that the question itself gives: another's answer is no answer."""
    return not {" ".join(name) for name in own_names(asked)} & set(found.missing)


def _same_sentence(one: Evidence, other: Evidence) -> bool:
    ids = [evidence.supports[0].sentence.id for evidence in (one, other) if evidence.supports]
    return len(ids) == 2 and ids[0] == ids[1]
