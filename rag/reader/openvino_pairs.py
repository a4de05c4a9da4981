"""A trained network over pairs of texts on OpenVINO: rows of ids in, the logits of its heads out.

The graph is the bundled encoder's with the trained layers in place of its own, and the heads on top. Its matrices
become 8-bit integers as the encoder's do (`index.bundled.network`), the heads stay float32.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset15 as op

from index.bundled.build import require_source
from index.bundled.container import Architecture, Container, Quantised
from index.bundled.network import EncoderGraph, compile_graph, usable_cpus
from index.errors import ModelError
from index.token_batches import token_batches
from rag.reader.encode import PairEncoder, Row, pad
from rag.reader.weights import read_weights

Float32 = npt.NDArray[np.float32]

# Padded tokens of one request. Chosen, as measured for the encoder (docs/benchmarks.md): its activations then stay in
# the processor's cache.
_REQUEST_TOKENS = 512


class PairNetwork:
    """A network with the heads HEADS, the names of their tensors in a file. Safe to call from several threads.

    Args:
        weights: the tensors of a file, by name.
        record: what the file says of its training.
        threads: CPU threads; 0 means all that this process may use.

    Attributes:
        held_out: the fold of its data (`eval.learning.data.Corpus.fold`) that it did not learn from; None: it saw all.
    """

    HEADS: ClassVar[Mapping[str, bool]]
    """By name, whether a head looks at every token of a row; else at the first alone."""

    def __init__(
        self, weights: Mapping[str, Float32], record: Mapping[str, Any], *, threads: int = 0
    ) -> None:
        self.held_out: int | None = record.get("recipe", {}).get("hold_out")
        self.encoder = PairEncoder.bundled()
        graph = _build(_TrainedWeights(Container(require_source().path), weights), self.HEADS)
        # All threads work on one batch: a question's windows are one batch, and it waits for them.
        compiled = compile_graph(ov.Core(), graph, streams=1, threads=threads or usable_cpus())
        self._request = compiled.create_infer_request()
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path, *, threads: int = 0) -> Self:
        """The network with the trained weights of `path`.

        Raises:
            ModelError: `path` is missing, damaged or of another network, or the package with the bundled model is not
                installed.
        """
        weights, record = read_weights(path)
        if any(f"{head}.weight" not in weights for head in cls.HEADS):
            raise ModelError(f"{path} is no {cls.__name__.lower()}: it lacks what one is trained for.")
        return cls(weights, record, threads=threads)

    def run(self, rows: Sequence[Row]) -> list[tuple[Float32, ...]]:
        """The logits of each row, head by head: (tokens, values) of one that looks at every token, else (values,)."""
        results: dict[int, tuple[Float32, ...]] = {}
        for places in token_batches([len(row.ids) for row in rows], _REQUEST_TOKENS):
            batch = pad([rows[place] for place in places])
            inputs = {
                "input_ids": batch.ids,
                "attention_mask": batch.mask.astype(np.int64),
                "passage": batch.passage.astype(np.int64),
            }
            with self._lock:
                self._request.infer(inputs)
                found = [self._request.get_output_tensor(i).data.copy() for i in range(len(self.HEADS))]
            for i, place in enumerate(places):
                results[place] = tuple(head[i] for head in found)
        return [results[place] for place in range(len(rows))]


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


def _build(weights: _TrainedWeights, heads: Mapping[str, bool]) -> ov.Model:
    graph = EncoderGraph(weights)
    ids, mask, passage = (graph.input(name) for name in ("input_ids", "attention_mask", "passage"))
    segments = op.gather(op.constant(weights.trained["segments.weight"]), passage, op.constant(np.int64(0)))
    states = graph.states(ids, mask, added=segments)
    first = op.gather(states, op.constant(np.int64(0)), op.constant(np.int64(1)))
    found = [_head(states if every else first, weights.trained, name) for name, every in heads.items()]
    return ov.Model([op.result(node) for node in found], [ids, mask, passage], "pairs")


def _head(states: ov.Node, trained: Mapping[str, Float32], name: str) -> ov.Node:
    product = op.matmul(states, op.constant(trained[f"{name}.weight"]), False, True)
    return op.add(product, op.constant(trained[f"{name}.bias"]))
