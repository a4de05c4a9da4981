"""Yes or no: which sentence settles a question that either answers, and how.

The judge reads the most promising sentences, each with the one before it, which tells what it speaks of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from index.types import Sentence
from rag.answer import Hit
from rag.reader.passages import Judges
from rag.reader.verdict import Verdict

# From this probability on a sentence says yes or no. Chosen on the 100 questions of eval/gold/claims: it then speaks to
# 17 of them, and is right in 16 (docs/citations.md).
_SURE = 0.9
# Sentences that are judged at most. Chosen: about as much work as reading the five passages.
_MOST = 8


@dataclass(frozen=True, slots=True)
class Settled:
    """What the sentence at `place` of those given says: a verdict on "yes"."""

    place: int
    verdict: Verdict

    @property
    def says(self) -> Literal["yes", "no"]:
        """Whichever is likelier."""
        return "yes" if self.verdict.supported >= self.verdict.contradicted else "no"

    @property
    def probability(self) -> float:
        """Of what it says, 0 to 1."""
        return _settles(self.verdict)


def settled(
    question: str,
    promising: Sequence[tuple[Sentence, Hit]],
    inside: Mapping[str, Sequence[Sentence]],
    judge: Judges,
) -> Settled | None:
    """The sentence that says most surely yes or no; None where none is sure enough.

    Args:
        question: what yes or no answers.
        promising: sentences that may answer, best first.
        inside: all sentences of each hit's chunk, in order, by the chunk's id.
    """
    some = promising[:_MOST]
    if not some:
        return None
    before = [_before(sentence, inside[hit.chunk.id]) for sentence, hit in some]
    windows = [
        _from(one or sentence, sentence, hit) for one, (sentence, hit) in zip(before, some, strict=True)
    ]
    verdicts = judge.judge([question] * len(some), windows)
    best = max(range(len(some)), key=lambda place: _settles(verdicts[place]))
    if _settles(verdicts[best]) < _SURE:
        return None
    # The one before may be what settles it.
    other = next((place for place, (each, _) in enumerate(promising) if each == before[best]), None)
    if other is not None:
        pair = (some[best][0].text, promising[other][0].text)
        alone = [_settles(verdict) for verdict in judge.judge([question] * 2, pair)]
        if alone[1] > alone[0]:
            return Settled(other, verdicts[best])
    return Settled(best, verdicts[best])


def _settles(verdict: Verdict) -> float:
    return max(verdict.supported, verdict.contradicted)


def _before(sentence: Sentence, around: Sequence[Sentence]) -> Sentence | None:
    return max(
        (each for each in around if each.end <= sentence.start), key=lambda each: each.start, default=None
    )


def _from(first: Sentence, last: Sentence, hit: Hit) -> str:
    return hit.chunk.text[first.start - hit.chunk.start : last.end - hit.chunk.start]
