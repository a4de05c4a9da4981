"""What a text says to a claim about it, or to a yes/no question."""

from __future__ import annotations

from typing import NamedTuple

VERDICTS = 3
SUPPORTED, CONTRADICTED, NEITHER = range(VERDICTS)  # the places of the network's scores


class Verdict(NamedTuple):
    """Probabilities, 0 to 1, that sum to 1: the text says it (yes), says the opposite (no), or says neither."""

    supported: float
    contradicted: float
    neither: float
