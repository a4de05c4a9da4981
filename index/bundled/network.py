"""The BERT encoder as an OpenVINO graph: built from the container, saved, compiled and run.

The graph is written operation by operation instead of converted from torch: building it needs neither torch
nor transformers and takes about a second. OpenVINO's telemetry is switched off in this package's __init__.

Precision. The word embeddings are kept exactly as the container has them. The matrices become 8-bit integers
with one scale per output; OpenVINO multiplies them with activations that it rounds to 8 bits on the fly, one
scale per token and group of inputs, so nothing is calibrated on any data. Everything else is bfloat16 or float32.
Measured against torch in float32: cosine 0.9997 on average, 0.9995 at least, at more than twice the speed of
OpenVINO in float32 (docs/benchmarks.md).

Everything here is in token ids and numpy arrays; text is the concern of `index.bundled.encoder`.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset15 as op
from openvino import properties
from openvino.properties import hint as hints

from index.bundled.container import BLOCK, Architecture, Container, Quantised
from index.errors import ModelError
from index.token_batches import token_batches

Float32 = npt.NDArray[np.float32]
TokenIds = Sequence[int]

# A masked key gets this added to its attention score; small enough to be exact in bfloat16, and e^-1e4 is 0.
_MASKED = 1.0e4
# Padded tokens of one request while embedding many texts. Measured: 512 is fastest, since the activations of
# one request then stay in the processor's cache.
_REQUEST_TOKENS = 512
# Tokens in all up to which texts are few.
_FEW_TOKENS = 2 * _REQUEST_TOKENS
# Inputs that share one scale when activations are rounded to 8 bits. Measured: 384 gives cosine 0.9993 and is
# 3 % faster, 64 is slower; it must divide the width of every layer.
_ACTIVATION_GROUP = 128


def build_network(container: Container) -> ov.Model:
    """The encoder of `container` as a graph.

    Inputs: `input_ids` and `attention_mask`, both (batch, tokens) int64. Output: `token_embeddings`,
    (batch, tokens, hidden) float32, the states of the last layer.
    """
    graph = EncoderGraph(container)
    ids, mask = graph.input("input_ids"), graph.input("attention_mask")
    states = graph.states(ids, mask)
    states.output(0).set_names({"token_embeddings"})
    return ov.Model([op.result(states)], [ids, mask], "encoder")


def save_network(model: ov.Model, path: Path) -> None:
    """Writes `path` (.xml) and its weights beside it (.bin), each in the type it has in the graph."""
    ov.save_model(model, str(path), compress_to_fp16=False)


class Weights(Protocol):
    """Where a graph's weights come from: a `Container`, or one with some of its tensors replaced."""

    architecture: Architecture

    def tensor(self, name: str) -> Float32:
        """The tensor `name`, flat (elements,), float32."""
        ...

    def quantised(self, name: str) -> Quantised:
        """The 4-bit weights of `name`."""
        ...


class EncoderGraph:
    """Makes the nodes of an encoder's graph."""

    def __init__(self, weights: Weights) -> None:
        self._container = weights
        self._sizes: Architecture = weights.architecture

    def states(self, ids: ov.Node, mask: ov.Node, *, added: ov.Node | None = None) -> ov.Node:
        """The last layer's states, (batch, tokens, hidden) float32.

        Args:
            ids: (batch, tokens) int64.
            mask: (batch, tokens) int64, 0 on padding.
            added: (batch, tokens, hidden) float32, what the embeddings get on top before their norm.
        """
        bias = self._attention_bias(mask)
        states = self._embeddings(ids, added)
        for layer in range(self._sizes.layers):
            states = self._layer(states, bias, f"l{layer}.")
        return states

    @staticmethod
    def input(name: str) -> ov.Node:
        """An input (batch, tokens) int64."""
        node = op.parameter([-1, -1], ov.Type.i64, name=name)
        node.output(0).set_names({name})
        return node

    def _tensor(self, name: str, *shape: int) -> ov.Node:
        return op.constant(np.ascontiguousarray(self._container.tensor(name).reshape(shape)))

    @staticmethod
    def _attention_bias(mask: ov.Node) -> ov.Node:
        """(batch, tokens) of 0 and 1 -> (batch, 1, 1, tokens) of -10,000 and 0."""
        offsets = op.subtract(op.convert(mask, ov.Type.f32), op.constant(np.float32(1.0)))
        return op.unsqueeze(op.multiply(offsets, op.constant(np.float32(_MASKED))), _ints(1, 2))

    def _embeddings(self, ids: ov.Node, added: ov.Node | None) -> ov.Node:
        hidden = self._sizes.hidden
        words = self._words(ids)
        if added is not None:
            words = op.add(words, added)
        # All tokens are of type 0, so its row is added to every position once, here.
        positions = self._container.tensor("emb.pos").reshape(-1, hidden)
        positions = positions + self._container.tensor("emb.type").reshape(-1, hidden)[0]
        length = op.gather(op.shape_of(ids), _ints(1), _int(0))
        used = op.slice(op.constant(positions), _ints(0), length, _ints(1), _ints(0))
        return self._normalised(op.add(words, op.unsqueeze(used, _int(0))), "emb.ln")

    def _words(self, ids: ov.Node) -> ov.Node:
        """Rows of the 4-bit table, unpacked after they are picked: the table stays a quarter of its float32 size."""
        hidden = self._sizes.hidden
        stored = self._container.quantised("emb.word")
        weights = (stored.nibbles.astype(np.int8) - np.int8(8)).reshape(-1, hidden)
        scales = stored.scales.reshape(-1, hidden // BLOCK)
        picked = op.convert(op.gather(op.constant(weights), ids, _int(0)), ov.Type.f32)
        picked_scales = op.convert(op.gather(op.constant(scales), ids, _int(0)), ov.Type.f32)
        blocks = op.reshape(picked, _ints(0, 0, hidden // BLOCK, BLOCK), True)
        scaled = op.multiply(blocks, op.unsqueeze(picked_scales, _int(3)))
        return op.reshape(scaled, _ints(0, 0, hidden), True)

    def _layer(self, states: ov.Node, bias: ov.Node, prefix: str) -> ov.Node:
        hidden, inner = self._sizes.hidden, self._sizes.intermediate
        query, key, value = (self._heads(self._linear(states, prefix + n, hidden, hidden)) for n in "qkv")
        mixed = op.scaled_dot_product_attention(query, key, value, bias)
        mixed = op.reshape(op.transpose(mixed, _ints(0, 2, 1, 3)), _ints(0, 0, hidden), True)
        attended = self._linear(mixed, prefix + "ao", hidden, hidden)
        states = self._normalised(op.add(states, attended), prefix + "aln")
        widened = op.gelu(self._linear(states, prefix + "fi", inner, hidden), "erf")
        narrowed = self._linear(widened, prefix + "fo", hidden, inner)
        return self._normalised(op.add(states, narrowed), prefix + "oln")

    def _heads(self, states: ov.Node) -> ov.Node:
        """(batch, tokens, hidden) -> (batch, heads, tokens, hidden / heads)."""
        heads = self._sizes.heads
        split = op.reshape(states, _ints(0, 0, heads, self._sizes.hidden // heads), True)
        return op.transpose(split, _ints(0, 2, 1, 3))

    def _linear(self, states: ov.Node, name: str, rows: int, columns: int) -> ov.Node:
        product = op.matmul(states, self._matrix(name + ".w", rows, columns), False, True)
        return op.add(product, self._tensor(name + ".b", 1, 1, rows))

    def _matrix(self, name: str, rows: int, columns: int) -> ov.Node:
        """Weights as 8-bit integers with a scale for each row, in the form that OpenVINO keeps compressed."""
        weights = self._container.tensor(name).reshape(rows, columns)
        scales = np.maximum(np.abs(weights).max(axis=1, keepdims=True) / 127.0, np.finfo(np.float16).tiny)
        scales = scales.astype(np.float16)
        rounded = np.clip(np.rint(weights / scales.astype(np.float32)), -127, 127).astype(np.int8)
        unpacked = op.multiply(op.convert(op.constant(rounded), ov.Type.f16), op.constant(scales))
        return op.convert(unpacked, ov.Type.f32)

    def _normalised(self, states: ov.Node, name: str) -> ov.Node:
        hidden = self._sizes.hidden
        centred = op.mvn(states, _ints(-1), True, float(self._sizes.epsilon), "inside_sqrt")
        scaled = op.multiply(centred, self._tensor(name + ".w", 1, 1, hidden))
        return op.add(scaled, self._tensor(name + ".b", 1, 1, hidden))


def _int(value: int) -> ov.Node:
    return op.constant(np.int64(value))


def _ints(*values: int) -> ov.Node:
    return op.constant(np.array(values, np.int64))


class Network:
    """A saved graph, ready to run. Safe to call from several threads.

    A few texts, such as a question's, run on all threads at once (shortest wait); many run as several requests with
    one thread each (most tokens per second). Each of the two is compiled when first used.

    Args:
        path: the .xml file that `save_network` wrote.
        threads: CPU threads; 0 means all that this process may use.

    Raises:
        ModelError: the file is missing, damaged or not understood by this OpenVINO.
    """

    def __init__(self, path: Path, *, threads: int = 0) -> None:
        self._threads = threads or usable_cpus()
        self._core = ov.Core()
        try:
            self._model = self._core.read_model(str(path))
        except RuntimeError as error:
            raise ModelError(
                f"The model file {path} cannot be read ({_last_line(error)}): delete its folder and run again, "
                "and it is made anew."
            ) from error
        self.hidden: int = self._model.output(0).get_partial_shape()[2].get_length()
        self._single: ov.InferRequest | None = None
        self._single_lock = threading.Lock()
        self._queue: ov.AsyncInferQueue | None = None
        self._queue_lock = threading.Lock()

    def states(self, rows: Sequence[TokenIds]) -> list[Float32]:
        """The last layer's states: for each row of token ids (tokens, hidden) float32, in order."""
        results: list[Float32] = [np.empty((0, self.hidden), np.float32)] * len(rows)

        def keep(index: int, states: Float32) -> None:
            results[index] = states.copy()

        self._run(rows, keep, None)
        return results

    def means(self, rows: Sequence[TokenIds], *, progress: Callable[[int], None] | None = None) -> Float32:
        """The mean state of each row of token ids: (rows, hidden) float32, in order.

        `progress` is called with the number of rows done since its last call, from this thread.
        """
        results = np.zeros((len(rows), self.hidden), np.float32)

        def keep(index: int, states: Float32) -> None:
            states.mean(axis=0, out=results[index])

        self._run(rows, keep, progress)
        return results

    def _run(
        self,
        rows: Sequence[TokenIds],
        keep: Callable[[int, Float32], None],
        progress: Callable[[int], None] | None,
    ) -> None:
        """Give `keep` the number and the states of each row; they are valid for the call only."""
        lengths = [len(row) for row in rows]
        batches = token_batches(lengths, _REQUEST_TOKENS)
        run = self._run_few if sum(lengths) <= _FEW_TOKENS else self._run_many
        run(rows, batches, keep, progress or (lambda _: None))

    def _run_few(
        self,
        rows: Sequence[TokenIds],
        batches: Sequence[list[int]],
        keep: Callable[[int, Float32], None],
        progress: Callable[[int], None],
    ) -> None:
        for batch in batches:
            with self._single_lock:
                if self._single is None:
                    self._single = self._compile(streams=1).create_infer_request()
                self._single.infer(_padded([rows[index] for index in batch]))
                _give(self._single, rows, batch, keep)
            progress(len(batch))

    def _run_many(
        self,
        rows: Sequence[TokenIds],
        batches: Sequence[list[int]],
        keep: Callable[[int, Float32], None],
        progress: Callable[[int], None],
    ) -> None:
        with self._queue_lock:
            if self._queue is None:
                self._queue = ov.AsyncInferQueue(self._compile(streams=self._threads), self._threads)
            self._queue.set_callback(lambda request, batch: _give(request, rows, batch, keep))
            for batch in batches:
                self._queue.start_async(_padded([rows[index] for index in batch]), batch)
                progress(len(batch))
            self._queue.wait_all()

    def _compile(self, *, streams: int) -> ov.CompiledModel:
        return compile_graph(self._core, self._model, streams=streams, threads=self._threads)


def _give(
    request: ov.InferRequest,
    rows: Sequence[TokenIds],
    batch: Sequence[int],
    keep: Callable[[int, Float32], None],
) -> None:
    states = request.get_output_tensor(0).data
    for position, index in enumerate(batch):
        keep(index, states[position, : len(rows[index])])


def compile_graph(core: ov.Core, model: ov.Model, *, streams: int, threads: int) -> ov.CompiledModel:
    """The graph ready to run on the CPU: `streams` requests at once that share `threads` threads."""
    # What is not 8-bit is bfloat16 where the processor multiplies it natively, else float32.
    native = "BF16" in core.get_property("CPU", properties.device.capabilities)
    return core.compile_model(
        model,
        "CPU",
        {
            properties.num_streams: streams,
            properties.inference_num_threads: threads,
            hints.inference_precision: ov.Type.bf16 if native else ov.Type.f32,
            hints.dynamic_quantization_group_size: _ACTIVATION_GROUP,
            # Other work shares the machine; pinned threads would queue behind it on their core.
            hints.enable_cpu_pinning: False,
        },
    )


def _padded(rows: Sequence[TokenIds]) -> dict[str, npt.NDArray[np.int64]]:
    """Rows of ids as two (rows, longest) arrays. Ids under masked positions have no effect; they are 0."""
    longest = max(len(row) for row in rows)
    ids = np.zeros((len(rows), longest), np.int64)
    mask = np.zeros((len(rows), longest), np.int64)
    for position, row in enumerate(rows):
        ids[position, : len(row)] = row
        mask[position, : len(row)] = 1
    return {"input_ids": ids, "attention_mask": mask}


def usable_cpus() -> int:
    """How many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
