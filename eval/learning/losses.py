"""What a training step makes smaller."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from eval.learning.batches import Part
from eval.learning.model import ReaderModel


def loss_of(model: ReaderModel, part: Part) -> Tensor:
    """Mean loss: of a question, cross-entropy of start and of end, halved, plus that of "answered"; of a claim, that of
    its verdict.

    Where several places answer, or several verdicts may be right, the probability of all of them counts (Clark and
    Gardner 2018, "Simple and effective multi-paragraph reading comprehension", https://arxiv.org/abs/1710.10723,
    section 3.2).
    """
    scores = model(part.ids, part.mask, part.passage)
    claims = part.verdicts.any(dim=1)
    spans = _missed(scores.start, part.starts) + _missed(scores.end, part.ends)
    answered = functional.binary_cross_entropy_with_logits(
        scores.answered, (~part.starts[:, 0]).float(), reduction="none"
    )
    judged = _missed(scores.judged, part.verdicts | ~claims[:, None])
    return torch.where(claims, judged, spans / 2 + answered).mean()


def _missed(logits: Tensor, right: Tensor) -> Tensor:
    """-log of the probability, (rows, places) logits, that falls on what is right: (rows,)."""
    probabilities = functional.log_softmax(logits, dim=1)
    return -probabilities.masked_fill(~right, -torch.inf).logsumexp(dim=1)
