"""The trained reader on OpenVINO: question and windows in, the words that answer out; claims and windows, verdicts out.

The graph is the bundled encoder's with the trained layers in place of its own, and the four heads on top. Its
matrices become 8-bit integers as the encoder's do (`index.bundled.network`), the heads stay float32.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset15 as op

from index.bundled.build import require_source
from index.bundled.container import Architecture, Container, Quantised
from index.bundled.network import EncoderGraph, compile_graph, usable_cpus
from index.token_batches import token_batches
from rag.reader.encode import LONGEST_CLAIM, PairEncoder, Row, SpanScore, pad, span_scores
from rag.reader.verdict import Verdict, verdict_of
from rag.reader.weights import read_weights

Float32 = npt.NDArray[np.float32]

# Padded tokens of one request. Chosen, as measured for the encoder (docs/benchmarks.md): its activations then stay in
# the processor's cache.
_REQUEST_TOKENS = 512


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


class Reader:
    """Reads windows of text for the answer to a question, whatever the languages. Safe to call from several threads.

    Args:
        graph: inputs `input_ids`, `attention_mask`, `passage`, (rows, tokens) int64; outputs `spans` (rows, tokens,
            2), `answered` (rows, 1) and `judged` (rows, 3), logits.
        encoder: makes the rows.
        held_out: the fold of its data (`eval.learning.data.Corpus.fold`) that it did not learn from; None: it saw all.
        threads: CPU threads; 0 means all that this process may use.
    """

    def __init__(
        self,
        graph: ov.Model,
        encoder: PairEncoder,
        *,
        held_out: int | None = None,
        threads: int = 0,
    ) -> None:
        self.held_out = held_out
        self._encoder = encoder
        # All threads work on one batch: a question's windows are one batch, and it waits for them.
        compiled = compile_graph(ov.Core(), graph, streams=1, threads=threads or usable_cpus())
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path, *, threads: int = 0) -> Self:
        """The reader with the trained weights of `path`.

        Raises:
            ModelError: `path` is missing, damaged or not a reader's file, or the package with the bundled model is
                not installed.
        """
        trained, record = read_weights(path)
        weights = _TrainedWeights(Container(require_source().path), trained)
        held_out = record.get("recipe", {}).get("hold_out")
        return cls(
            _build(weights),
            PairEncoder.bundled(),
            held_out=held_out,
            threads=threads,
        )

    def read(self, question: str, windows: Sequence[str]) -> list[Reading]:
        """What each window says to the question, in order.

        Args:
            question: at most 64 tokens of it are read.
            windows: texts of up to about 250 tokens; what is longer loses its end.
        """
        rows = self._encoder.rows([question] * len(windows), windows)
        return [
            Reading(row, found.spans, found.answered)
            for row, found in zip(rows, self._run(rows), strict=True)
        ]

    def judge(self, claims: Sequence[str], windows: Sequence[str]) -> list[Verdict]:
        """What each window says to the claim at the same place, in order.

        Args:
            claims: statements, or questions that yes or no answers; at most 128 tokens of each are read.
            windows: texts as for `read`.
        """
        rows = self._encoder.rows(claims, windows, longest=LONGEST_CLAIM)
        return [verdict_of(found.judged) for found in self._run(rows)]

    def _run(self, rows: Sequence[Row]) -> list[_Found]:
        results: dict[int, _Found] = {}
        for places in token_batches([len(row.ids) for row in rows], _REQUEST_TOKENS):
            batch = pad([rows[place] for place in places])
            inputs = {
                "input_ids": batch.ids,
                "attention_mask": batch.mask.astype(np.int64),
                "passage": batch.passage.astype(np.int64),
            }
            with self._lock:
                self._request.infer(inputs)
                spans, answered, judged = (self._request.get_output_tensor(i).data.copy() for i in range(3))
            for i, place in enumerate(places):
                results[place] = _Found(spans[i], float(answered[i, 0]), judged[i])
        return [results[place] for place in range(len(rows))]


class _Found(NamedTuple):
    """One row's logits: (tokens, 2) of start and end, of "answered", (3,) of the verdicts."""

    spans: Float32
    answered: float
    judged: Float32


class _TrainedWeights:
    """The container's tensors with the trained layers in place of its own."""

    def __init__(self, container: Container, trained: Mapping[str, Float32]) -> None:
        self.architecture: Architecture = container.architecture
        self.trained = trained
        self._container = container

    def quantised(self, name: str) -> Quantised:
        return self._container.quantised(name)

    def tensor(self, name: str) -> Float32:
        """A tensor by the container's name; `lN.q.w` is a third of the trained `layers.N.qkv.weight`."""
        if not name.startswith("l"):
            return self._container.tensor(name)
        layer, part, kind = name.split(".")
        prefix, suffix = f"layers.{layer[1:]}.", {"w": "weight", "b": "bias"}[kind]
        if part in "qkv":
            joined = self.trained[f"{prefix}qkv.{suffix}"]
            return np.ascontiguousarray(np.split(joined, 3)["qkv".index(part)]).reshape(-1)
        return self.trained[f"{prefix}{_PARTS[part]}.{suffix}"].reshape(-1)


_PARTS = {"ao": "mixed", "aln": "mixed_norm", "fi": "widen", "fo": "narrow", "oln": "norm"}


def _build(weights: _TrainedWeights) -> ov.Model:
    graph = EncoderGraph(weights)
    ids, mask, passage = (graph.input(name) for name in ("input_ids", "attention_mask", "passage"))
    segments = op.gather(op.constant(weights.trained["segments.weight"]), passage, op.constant(np.int64(0)))
    states = graph.states(ids, mask, added=segments)
    spans = _head(states, weights.trained, "span")
    first = op.gather(states, op.constant(np.int64(0)), op.constant(np.int64(1)))
    heads = [_head(first, weights.trained, name) for name in ("answered", "judged")]
    return ov.Model([op.result(node) for node in (spans, *heads)], [ids, mask, passage], "reader")


def _head(states: ov.Node, trained: Mapping[str, Float32], name: str) -> ov.Node:
    product = op.matmul(states, op.constant(trained[f"{name}.weight"]), False, True)
    return op.add(product, op.constant(trained[f"{name}.bias"]))
