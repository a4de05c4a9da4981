"""The trained reader: question and windows in, the words that answer out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from rag.reader.encode import Row, SpanScore, span_scores
from rag.reader.openvino_pairs import PairNetwork

Float32 = npt.NDArray[np.float32]


class Reading:
    """What one window says to a question. Offsets are code points of the window, end excluded.

    Attributes:
        logit: of "answered", as the network says it.
        answered: probability, 0 to 1, that the window answers the question.
        best: the best span of 1 to LONGEST_ANSWER tokens; None for a window without words.
    """

    def __init__(self, row: Row, logits: Float32, answered: float) -> None:
        """`logits`: (tokens, 2), of start and end; `answered`: a logit."""
        self.logit = answered
        self.answered = float(1 / (1 + np.exp(-answered)))
        self._offsets = np.array(row.offsets, np.int64).reshape(-1, 2)
        self._none = float(logits[0].sum())
        self._sums = span_scores(row, logits[:, 0], logits[:, 1])
        raised = np.exp(self._sums - self._sums.max(initial=-np.inf))
        self._shares = raised / raised.sum() if len(row.offsets) else raised
        self.best = self.best_in(0, int(self._offsets[-1, 1])) if len(row.offsets) else None

    def best_in(self, start: int, end: int) -> SpanScore | None:
        """The best span that lies within `start`..`end`; None where no token does."""
        inside = np.flatnonzero((self._offsets[:, 0] >= start) & (self._offsets[:, 1] <= end))
        if not len(inside):
            return None
        low, high = int(inside[0]), int(inside[-1]) + 1
        sums = self._sums[low:high, low:high]
        first, last = divmod(int(sums.argmax()), high - low)
        first, last = first + low, last + low
        # What starts or ends nearly alike is the same answer with a word more or less.
        alike = self._shares[: last + 1, first:].sum()
        return SpanScore(
            int(self._offsets[first, 0]),
            int(self._offsets[last, 1]),
            float(self._sums[first, last]) - self._none,
            float(alike),
        )

    def covers(self, start: int, end: int) -> float:
        """The probability, 0 to 1, that the answer shares a token with `start`..`end`, given that there is one."""
        inside = np.flatnonzero((self._offsets[:, 0] < end) & (self._offsets[:, 1] > start))
        if not len(inside):
            return 0.0
        return float(self._shares[: inside[-1] + 1, inside[0] :].sum())


class Reader(PairNetwork):
    """Reads windows of text for the answer to a question, whatever the languages."""

    HEADS: ClassVar = {"span": True, "answered": False}

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        """What each window says to the question, in order.

        Args:
            question: at most 64 tokens of it are read.
            windows: texts of up to about 250 tokens; what is longer loses its end.
        """
        rows = self.encoder.rows([question] * len(windows), windows)
        return [
            Reading(row, spans, float(answered[0]))
            for row, (spans, answered) in zip(rows, self.run(rows), strict=True)
        ]
