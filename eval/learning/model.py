"""The reader's network: the bundled encoder over `<s> question </s></s> passage </s>`, with heads for the answer, and
for what the passage says to a claim that stands in the question's place.

The word, position and token-type embeddings are the bundled model's own and stay as they are; the layers and heads
are kept in one safetensors file. The lowest layers may stay as they are too: they hold what languages have in common,
and a step costs less. The heads follow Devlin et al. 2019, "BERT", section 4.3
(https://arxiv.org/abs/1810.04805): a start and an end score for each token, where the first token stands for "no
answer"; a third score on the first token says whether the passage answers at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from index.bundled.build import require_source
from index.bundled.container import Architecture, Container
from rag.reader.verdict import VERDICTS
from rag.reader.weights import read_weights

# Added to scores that must not be chosen; e^-1e4 is 0, and it is exact in bfloat16.
_NEVER = -1.0e4


@dataclass(frozen=True, slots=True)
class Scores:
    """What the network says of a batch.

    Shapes: `start` and `end` (batch, tokens) float32, logits, -10,000 where an answer cannot stand, position 0 "no
    answer"; `answered` (batch,) float32, a logit, above 0 where the passage answers; `judged` (batch, 3) float32,
    logits of the verdicts (`rag.reader.verdict`).
    """

    start: Tensor
    end: Tensor
    answered: Tensor
    judged: Tensor


class Embeddings(nn.Module):
    """Word, position and token-type embeddings with their norm; frozen.

    The table is kept in float16, which holds the container's 4-bit weights to 3 digits.
    """

    words: Tensor
    positions: Tensor

    def __init__(self, container: Container) -> None:
        super().__init__()
        sizes = container.architecture
        words = torch.from_numpy(container.tensor("emb.word")).reshape(-1, sizes.hidden).half()
        positions = torch.from_numpy(container.tensor("emb.pos")).reshape(-1, sizes.hidden)
        token_type = torch.from_numpy(container.tensor("emb.type")).reshape(-1, sizes.hidden)[0]
        self.register_buffer("words", words, persistent=False)
        self.register_buffer("positions", positions + token_type, persistent=False)
        self.norm = nn.LayerNorm(sizes.hidden, eps=sizes.epsilon)
        self.norm.weight.data = torch.from_numpy(container.tensor("emb.ln.w"))
        self.norm.bias.data = torch.from_numpy(container.tensor("emb.ln.b"))
        self.requires_grad_(False)

    def forward(self, ids: Tensor, segment: Tensor) -> Tensor:
        """Token ids (batch, tokens) int64 and an addition (batch, tokens, hidden) -> states of the same shape."""
        words = functional.embedding(ids, self.words).float()
        states = words + self.positions[: ids.shape[1]].float() + segment
        return functional.layer_norm(
            states, (states.shape[-1],), self.norm.weight.float(), self.norm.bias.float(), self.norm.eps
        )


class Layer(nn.Module):
    """One BERT layer, the norm after each half."""

    def __init__(self, sizes: Architecture, *, dropout: float) -> None:
        super().__init__()
        hidden = sizes.hidden
        self.heads = sizes.heads
        self.dropout = nn.Dropout(dropout)
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.mixed = nn.Linear(hidden, hidden)
        self.mixed_norm = nn.LayerNorm(hidden, eps=sizes.epsilon)
        self.widen = nn.Linear(hidden, sizes.intermediate)
        self.narrow = nn.Linear(sizes.intermediate, hidden)
        self.norm = nn.LayerNorm(hidden, eps=sizes.epsilon)

    def forward(self, states: Tensor, bias: Tensor) -> Tensor:
        """States (batch, tokens, hidden), bias (batch, 1, 1, tokens) added to the attention -> states."""
        batch, tokens, hidden = states.shape
        width = hidden // self.heads
        split = self.qkv(states).view(batch, tokens, 3, self.heads, width).permute(2, 0, 3, 1, 4)
        query, key, value = split.unbind(0)
        weights = (query * (1.0 / math.sqrt(width))) @ key.transpose(-1, -2)
        mixed = torch.softmax(weights + bias, dim=-1) @ value
        mixed = mixed.transpose(1, 2).reshape(batch, tokens, hidden)
        states = self.mixed_norm(states + self.dropout(self.mixed(mixed)))
        widened = functional.gelu(self.widen(states))
        return self.norm(states + self.dropout(self.narrow(widened)))  # type: ignore[no-any-return]


class ReaderModel(nn.Module):
    """The network. `stored()` names the tensors of its file, `trained()` those that training changes.

    `dropout` is the share of values that each half of a trained layer, and what enters the lowest of them, lose while
    the network trains; it starts ready to evaluate. The `frozen` lowest layers are not trained, and where there are
    any, neither is what tells passage from question at their input.

    Raises:
        ModelError: the package with the bundled weights is not installed or damaged.
    """

    def __init__(self, *, dropout: float = 0.0, frozen: int = 0) -> None:
        super().__init__()
        self.frozen = frozen
        container = Container(require_source().path)
        sizes = container.architecture
        self.embeddings = Embeddings(container)
        # What tells passage from question besides the separators; starts at nothing.
        self.segments = nn.Embedding(2, sizes.hidden)
        nn.init.zeros_(self.segments.weight)
        self.layers = nn.ModuleList(Layer(sizes, dropout=dropout) for _ in range(sizes.layers))
        for number, layer in enumerate(self.layers):
            _fill(layer, container, f"l{number}.")
        self.span = nn.Linear(sizes.hidden, 2)
        self.answered = nn.Linear(sizes.hidden, 1)
        self.judged = nn.Linear(sizes.hidden, VERDICTS)
        self.dropout = nn.Dropout(dropout)
        if frozen:
            self.segments.requires_grad_(False)
            for layer in self.layers[:frozen]:
                layer.requires_grad_(False)
        self.eval()

    def forward(self, ids: Tensor, mask: Tensor, passage: Tensor) -> Scores:
        """Scores of a batch.

        Args:
            ids: (batch, tokens) int64; position 0 is `<s>`.
            mask: (batch, tokens) bool, False where padded.
            passage: (batch, tokens) bool, True on the passage's tokens.
        """
        states = self.states(ids, mask, passage)
        allowed = passage.clone()
        allowed[:, 0] = True
        spans = self.span(states).float().masked_fill(~allowed[:, :, None], _NEVER)
        answered, judged = (head(states[:, 0]).float() for head in (self.answered, self.judged))
        return Scores(start=spans[:, :, 0], end=spans[:, :, 1], answered=answered[:, 0], judged=judged)

    def states(self, ids: Tensor, mask: Tensor, passage: Tensor) -> Tensor:
        """The last layer's states (batch, tokens, hidden); before training, those of the bundled encoder."""
        kind = self.span.weight.dtype
        bias = torch.zeros(mask.shape, dtype=kind, device=mask.device).masked_fill(~mask, _NEVER)
        embedded = self.embeddings(ids, self.segments(passage.long()).float())
        states: Tensor = embedded.to(kind)
        for layer in self.layers[: self.frozen]:
            states = layer(states, bias[:, None, None, :])
        states = self.dropout(states)
        for layer in self.layers[self.frozen :]:
            states = layer(states, bias[:, None, None, :])
        return states

    def stored(self) -> dict[str, nn.Parameter]:
        """The parameters of the reader's file, by name: all but the embeddings'."""
        return {name: value for name, value in self.named_parameters() if not name.startswith("embeddings.")}

    def trained(self) -> dict[str, nn.Parameter]:
        """The parameters that training changes, by name."""
        return {name: value for name, value in self.stored().items() if value.requires_grad}

    def train(self, mode: bool = True) -> Self:
        """Whether to drop values; the frozen layers never do."""
        super().train(mode)
        for layer in self.layers[: self.frozen]:
            layer.eval()
        return self


def load_model(path: Path, *, dropout: float = 0.0, frozen: int = 0) -> ReaderModel:
    """The network with the weights of `path`, float32, ready to evaluate; `dropout` and `frozen` as its own.

    Raises:
        ModelError: `path` is missing, damaged or not a reader's file.
    """
    model = ReaderModel(dropout=dropout, frozen=frozen)
    weights, _ = read_weights(path)
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, strict=False)
    return model.eval()


def _fill(layer: nn.Module, container: Container, prefix: str) -> None:
    """Copies the bundled weights of one layer; query, key and value become one matrix."""

    def tensor(name: str) -> Tensor:
        return torch.from_numpy(container.tensor(prefix + name))

    values = {
        "qkv.weight": torch.cat([tensor(f"{part}.w") for part in "qkv"]),
        "qkv.bias": torch.cat([tensor(f"{part}.b") for part in "qkv"]),
    }
    for ours, theirs in (
        ("mixed", "ao"),
        ("mixed_norm", "aln"),
        ("widen", "fi"),
        ("narrow", "fo"),
        ("norm", "oln"),
    ):
        values[f"{ours}.weight"] = tensor(f"{theirs}.w")
        values[f"{ours}.bias"] = tensor(f"{theirs}.b")
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.copy_(values[name].reshape(parameter.shape))
