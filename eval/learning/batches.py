"""Batches of a training run: examples as tensors, drawn ahead in a process of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor
from torch.utils.data import IterableDataset

from eval.learning.mixture import Mixture
from eval.learning.windows import Example
from rag.reader.encode import LONGEST_CLAIM, LONGEST_QUESTION, Batch, PairEncoder, Row, pad, token_span
from rag.reader.verdict import VERDICTS

_UNKNOWN = 3  # `<unk>`; the ids before it are the other special tokens


@dataclass(frozen=True, slots=True)
class Part:
    """A batch, or one thread's part of it: rows of (rows, tokens) tensors.

    `starts` and `ends` are True on the tokens where an answer may start and end, on position 0 where there is none.
    `verdicts` (rows, 3) is True on those of a claim of which one is right; a row without any is a question.
    """

    ids: Tensor
    mask: Tensor
    passage: Tensor
    starts: Tensor
    ends: Tensor
    verdicts: Tensor

    def rows(self, first: int, step: int) -> Part:
        """Every `step`-th row from `first` on."""
        return Part(*(getattr(self, name)[first::step] for name in Part.__slots__))


class Feed(IterableDataset[list[Tensor]]):
    """Batches without end, from number `first` on: batch i depends on the seed and the data alone."""

    # Batches whose examples are sorted by length together, so that rows of a batch are of one length.
    _SORTED = 16

    def __init__(
        self, examples: Mixture, encoder: PairEncoder, *, batch: int, dropped_words: float, seed: int
    ) -> None:
        self._examples, self._encoder = examples, encoder
        self._batch, self._dropped_words, self._seed = batch, dropped_words, seed
        self.first = 0

    def __iter__(self) -> Iterator[list[Tensor]]:
        group, skip = divmod(self.first, self._SORTED)
        while True:
            yield from self._group(group)[skip:]
            group, skip = group + 1, 0

    def _group(self, number: int) -> list[list[Tensor]]:
        size = self._batch * self._SORTED
        drawn = [self._examples.draw(i) for i in range(number * size, (number + 1) * size)]
        longest = [LONGEST_CLAIM if e.verdicts else LONGEST_QUESTION for e in drawn]
        rows = [
            self._encoder.rows([e.question], [e.window], longest=most)[0]
            for e, most in zip(drawn, longest, strict=True)
        ]
        pairs = sorted(zip(rows, drawn, strict=True), key=lambda pair: len(pair[0].ids))
        batches = [pairs[i : i + self._batch] for i in range(0, size, self._batch)]
        Random(f"{self._seed}/{number}").shuffle(batches)  # noqa: S311 - no secret
        seeds = range(number * self._SORTED, (number + 1) * self._SORTED)
        return [
            tensors_of(batch, dropped=self._dropped_words, seed=seed)
            for batch, seed in zip(batches, seeds, strict=True)
        ]


def tensors_of(pairs: Sequence[tuple[Row, Example]], *, dropped: float, seed: int) -> list[Tensor]:
    """The tensors of a `Part`, in its order.

    A share `dropped` of the words, answers apart, becomes the unknown word.
    """
    batch: Batch = pad([row for row, _ in pairs])
    ids, mask = torch.from_numpy(batch.ids), torch.from_numpy(batch.mask)
    starts, ends, inside = (torch.zeros_like(mask) for _ in range(3))
    verdicts = torch.zeros((len(pairs), VERDICTS), dtype=torch.bool)
    for place, (row, example) in enumerate(pairs):
        verdicts[place, list(example.verdicts)] = True
        answers = [example.answer, *example.also] if example.answer else []
        spans = [token_span(row, answer.start, answer.end) for answer in answers if answer is not None]
        for first, last in [span for span in spans if span] or [(0, 0)]:
            starts[place, first] = ends[place, last] = True
            inside[place, first : last + 1] = True
    random = torch.Generator().manual_seed(seed)
    chosen = (torch.rand(ids.shape, generator=random) < dropped) & mask & (ids > _UNKNOWN) & ~inside
    chosen &= ~verdicts.any(dim=1, keepdim=True)  # a word of a claim may decide it
    return [ids.masked_fill(chosen, _UNKNOWN), mask, torch.from_numpy(batch.passage), starts, ends, verdicts]
