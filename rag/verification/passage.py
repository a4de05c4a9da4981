"""What an answer may cite: numbered runs of whole sentences."""

from __future__ import annotations

from dataclasses import dataclass

from index.types import Sentence
from rag.answer import Hit


@dataclass(frozen=True, slots=True)
class Passage:
    """Whole sentences of one chunk, numbered from 1 as a model sees them.

    `text` is the document's text from `start` to `end` (code points); `sentences` are those in it, in order.
    """

    number: int
    hit: Hit
    start: int
    end: int
    text: str
    sentences: tuple[Sentence, ...]
