"""The trained judge: claims and windows in, what each window says to its claim out (docs/citations.md)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rag.reader.encode import LONGEST_CLAIM
from rag.reader.openvino_pairs import PairNetwork
from rag.reader.verdict import Verdict, verdict_of


class Judge(PairNetwork):
    """Says whether a text supports a claim, or answers a question by yes, whatever the languages."""

    HEADS: ClassVar = {"judged": False}

    def judge(self, claims: Sequence[str], windows: Sequence[str]) -> list[Verdict]:
        """What each window says to the claim at the same place, in order.

        Args:
            claims: statements, or questions that yes or no answers; at most 128 tokens of each are read.
            windows: texts of up to about 250 tokens; what is longer loses its end.
        """
        rows = self.encoder.rows(claims, windows, longest=LONGEST_CLAIM)
        return [verdict_of(judged) for (judged,) in self.run(rows)]
