"""Yes or no: which sentence settles a question that either answers, and how.

The judge reads the most promising sentences, each with the one before it, which tells what it speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.types import Sentence
from rag.answer import Hit
from rag.reader.passages import Judges
from rag.reader.verdict import Verdict

# Sentences that are judged at most. Chosen: about as much work as reading the five passages.
_MOST = 8


@dataclass(frozen=True, slots=True)
class Settled:
    """What the sentence at `place` of those given says: a verdict on "yes"."""

    place: int
    verdict: Verdict

    @property
    def says(self) -> str:
        """ "yes" or "no", whichever is likelier."""
        return "yes" if self.verdict.supported >= self.verdict.contradicted else "no"

    @property
    def probability(self) -> float:
        """Of what it says, 0 to 1."""
        return max(self.verdict.supported, self.verdict.contradicted)


def settled(
    question: str,
    promising: Sequence[tuple[Sentence, Hit]],
    inside: Mapping[str, Sequence[Sentence]],
    judge: Judges,
) -> Settled | None:
    """The sentence that says most surely yes or no; None where there is none to judge.

    Args:
        question: what yes or no answers.
        promising: sentences that may answer, best first.
        inside: all sentences of each hit's chunk, in order, by the chunk's id.
    """
    some = promising[:_MOST]
    if not some:
        return None
    windows = [_with_the_one_before(sentence, hit, inside[hit.chunk.id]) for sentence, hit in some]
    verdicts = judge.judge([question] * len(windows), windows)
    found = [Settled(place, verdict) for place, verdict in enumerate(verdicts)]
    return max(found, key=lambda each: each.probability)


def _with_the_one_before(sentence: Sentence, hit: Hit, around: Sequence[Sentence]) -> str:
    before = max((each.start for each in around if each.end <= sentence.start), default=sentence.start)
    chunk = hit.chunk
    return chunk.text[before - chunk.start : sentence.end - chunk.start]
