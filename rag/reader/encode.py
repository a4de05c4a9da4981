"""A question and a window of text as the network's token ids, and its scores as spans of the window.

The row is `<s> question </s> </s> window </s>`. A question longer than its share, and then a window longer than the
room that is left, lose their end; windows are cut to size before, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from index.bundled.build import bundled_tokenizer, require_source
from index.bundled.container import Container, Vocabulary

# Tokens of the longest row and question. Chosen, and trained with: the bundled encoder has 512 positions, and time
# grows with the square of a row's length.
LONGEST_ROW = 320
LONGEST_QUESTION = 64
# Tokens of the longest claim. Measured: a sentence of Bengali news has some 45, and 120 in 1 of 100.
LONGEST_CLAIM = 128
# Tokens of the longest answer. Measured: answers of SQuAD-like data are 3 in the median and under 30 in 99 of 100.
LONGEST_ANSWER = 40

_SPECIAL = 4  # <s> </s> </s> </s>: given by how the reader was trained

Ids = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """One encoded pair.

    `ids` starts with `<s>`; the window's tokens stand at `ids[first : first + len(offsets)]`, and token i of them
    covers the code points `offsets[i]` (start, end) of the window's text.
    """

    ids: tuple[int, ...]
    first: int
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows side by side, padded to the longest: all (rows, tokens); `mask` is False on padding, `passage` True on
    the window's tokens."""

    ids: Ids
    mask: Flags
    passage: Flags


@dataclass(frozen=True, slots=True)
class SpanScore:
    """A span of the window's text in code points, end excluded.

    `margin` is how far its logit (start plus end) stands above that of "no answer"; `share` the probability, 0 to 1,
    of it and all spans that share a token with it among the spans of the window.
    """

    start: int
    end: int
    margin: float
    share: float


class PairEncoder:
    """Makes rows of pairs. Safe to share between threads."""

    def __init__(self, tokenizer: Tokenizer, vocabulary: Vocabulary) -> None:
        self._tokenizer = tokenizer
        self._bos, self._eos = vocabulary.bos, vocabulary.eos

    @classmethod
    def bundled(cls) -> Self:
        """The encoder with the bundled model's vocabulary.

        Raises:
            ModelError: the package with the bundled model is not installed or damaged.
        """
        source = require_source()
        return cls(bundled_tokenizer(source), Container(source.path).vocabulary)

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens not counted."""
        return [len(e) for e in self._tokenizer.encode_batch(list(texts), add_special_tokens=False)]

    def rows(
        self, questions: Sequence[str], windows: Sequence[str], *, longest: int = LONGEST_QUESTION
    ) -> list[Row]:
        """One row for each question and the window at the same place; `longest`: tokens of a question."""
        encoded = self._tokenizer.encode_batch([*questions, *windows], add_special_tokens=False)
        asked, read = encoded[: len(questions)], encoded[len(questions) :]
        return [
            self._row(question.ids[:longest], window.ids, window.offsets, text)
            for question, window, text in zip(asked, read, windows, strict=True)
        ]

    def _row(self, question: list[int], window: list[int], offsets: list[tuple[int, int]], text: str) -> Row:
        window = window[: LONGEST_ROW - len(question) - _SPECIAL]
        ids = (self._bos, *question, self._eos, self._eos, *window, self._eos)
        spans = tuple(_without_space(text, *offset) for offset in offsets[: len(window)])
        return Row(ids=ids, first=len(question) + 3, offsets=spans)


def pad(rows: Sequence[Row]) -> Batch:
    """Rows as arrays. Ids under padding have no effect; they are 0."""
    shape = (len(rows), max(len(row.ids) for row in rows))
    ids, mask, passage = np.zeros(shape, np.int64), np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for place, row in enumerate(rows):
        ids[place, : len(row.ids)] = row.ids
        mask[place, : len(row.ids)] = True
        passage[place, row.first : row.first + len(row.offsets)] = True
    return Batch(ids=ids, mask=mask, passage=passage)


def token_span(row: Row, start: int, end: int) -> tuple[int, int] | None:
    """The positions in `row.ids` of the first and last token of a span of the window; None if it was cut off."""
    inside = [i for i, (a, b) in enumerate(row.offsets) if a < end and b > start]
    if not inside or row.offsets[inside[-1]][1] < end:
        return None
    return row.first + inside[0], row.first + inside[-1]


def span_scores(row: Row, start: Float32, end: Float32) -> Float32:
    """(window tokens, window tokens) float32: start plus end logit of the span from one token to another.

    -inf where a span would be empty or have more than LONGEST_ANSWER tokens.

    Args:
        row: the encoded pair.
        start, end: (tokens,) logits of the row's positions.
    """
    size = len(row.offsets)
    sums = start[row.first : row.first + size, None] + end[None, row.first : row.first + size]
    reach = np.arange(size)[None, :] - np.arange(size)[:, None]
    return np.where((reach >= 0) & (reach < LONGEST_ANSWER), sums, -np.inf).astype(np.float32)


def best_span(row: Row, start: Float32, end: Float32) -> tuple[int, int] | None:
    """The window's best span by start plus end logit, in code points; None for a window without tokens."""
    if not row.offsets:
        return None
    first, last = divmod(int(span_scores(row, start, end).argmax()), len(row.offsets))
    return row.offsets[first][0], row.offsets[last][1]


def _without_space(text: str, start: int, end: int) -> tuple[int, int]:
    """A piece's offsets without the white space that the tokenizer counts to the word behind it."""
    while start < end and text[start].isspace():
        start += 1
    return start, end
