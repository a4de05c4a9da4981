"""What a text says to a claim about it, or to a yes/no question."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

VERDICTS = 3  # given by what the judge was taught
SUPPORTED, CONTRADICTED, NEITHER = range(VERDICTS)  # the places of the network's scores


class Verdict(NamedTuple):
    """Probabilities, 0 to 1, that sum to 1: the text says it (yes), says the opposite (no), or says neither."""

    supported: float
    contradicted: float
    neither: float


def verdict_of(logits: npt.NDArray[np.float32]) -> Verdict:
    """The verdict of the network's three logits."""
    raised = np.exp(logits - logits.max())
    return Verdict(*(float(share) for share in raised / raised.sum()))
