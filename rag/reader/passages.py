"""The stretches of text that are read for an answer, and what the reading says of their sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from index.types import Chunk, Sentence
from rag.reader.encode import SpanScore
from rag.reader.openvino_reader import Reading
from rag.reader.verdict import Verdict


class Judges(Protocol):
    """What judges claims: `rag.reader.openvino_judge.Judge`."""

    def judge(self, claims: Sequence[str], windows: Sequence[str]) -> list[Verdict]:
        """What each window says to the claim at the same place, in order."""
        ...


Judging = Callable[[], Judges | None]
"""Gives the judge, loaded when it is first wanted; None: there is none."""


def no_judge() -> None:
    """Where there is no judge."""


class Reads(Protocol):
    """What reads: `rag.reader.openvino_reader.Reader`."""

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        """What each window says to the question, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Window:
    """Sentences of one chunk that are read together: code points `start`..`end` of the document."""

    document_id: str
    start: int
    end: int
    text: str

    def holds(self, sentence: Sentence) -> bool:
        """Whether a sentence lies in it."""
        return (
            sentence.document_id == self.document_id
            and self.start <= sentence.start
            and sentence.end <= self.end
        )


@dataclass(frozen=True, slots=True)
class Read:
    """A window that was read."""

    window: Window
    reading: Reading

    def best_in(self, sentence: Sentence) -> SpanScore | None:
        """The best span within a sentence, counted from the sentence's start; None where that was not read."""
        if not self.window.holds(sentence):
            return None
        offset = sentence.start - self.window.start
        best = self.reading.best_in(offset, offset + len(sentence.text))
        return None if best is None else replace(best, start=best.start - offset, end=best.end - offset)

    def answer_in(self, document_id: str, start: int, end: int) -> float:
        """The probability, 0 to 1, that the window answers and the answer meets a stretch of the document."""
        if document_id != self.window.document_id:
            return 0.0
        return self.reading.answered * self.reading.covers(start - self.window.start, end - self.window.start)


def windows(
    candidates: Sequence[tuple[Sentence, Chunk]],
    sentences_of: Callable[[Chunk], Sequence[Sentence]],
    count_tokens: Callable[[Sequence[str]], list[int]],
    *,
    most: int,
    tokens: int,
) -> list[Window]:
    """Windows around the most promising sentences, at most `most`.

    Args:
        candidates: sentences with the chunk that each stands in, the most promising first. One that lies in a window
            already makes no other.
        sentences_of: all sentences of a chunk, in order.
        tokens: a window grows by its neighbours on both sides while it has at most so many.
    """
    found: list[Window] = []
    for sentence, chunk in candidates:
        if len(found) == most:
            break
        if not any(window.holds(sentence) for window in found):
            around = sentences_of(chunk)
            found.append(_grown(sentence, chunk, around, count_tokens([s.text for s in around]), tokens))
    return found


def _grown(
    sentence: Sentence, chunk: Chunk, around: Sequence[Sentence], sizes: Sequence[int], tokens: int
) -> Window:
    ordinals = [other.ordinal for other in around]
    first = last = ordinals.index(sentence.ordinal) if sentence.ordinal in ordinals else -1
    if first < 0:  # the document changed between two reads
        return Window(sentence.document_id, sentence.start, sentence.end, sentence.text)
    left = tokens - sizes[first]
    before = True
    while True:
        # A sentence on each side in turn; where one side has none that fits, the other.
        can_before = first > 0 and sizes[first - 1] <= left
        can_after = last + 1 < len(around) and sizes[last + 1] <= left
        if can_before and (before or not can_after):
            first -= 1
            left -= sizes[first]
        elif can_after:
            last += 1
            left -= sizes[last]
        else:
            break
        before = not before
    start, end = around[first].start, around[last].end
    return Window(chunk.document_id, start, end, chunk.text[start - chunk.start : end - chunk.start])


def read(reader: Reads, question: str, chosen: Sequence[Window]) -> list[Read]:
    """Read windows in one batch."""
    if not chosen:
        return []
    readings = reader.read(question, [window.text for window in chosen])
    return [Read(window, reading) for window, reading in zip(chosen, readings, strict=True)]
