"""The bundled model as an embedder: text in, unit vectors out, without torch.

`index.bundled.encoder` is the same encoder as a module of sentence-transformers, for those who load the model's folder
with that library; the vectors agree (tests/index/test_bundled.py). Going around the library saves seconds at the start
and a third of the time of a short question.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from index.bundled import CONFIG_FILE, NETWORK_FILE, build
from index.bundled.network import Network

Float32 = npt.NDArray[np.float32]

# Texts whose token ids are held at once.
_BLOCK_TEXTS = 4096


class BundledEmbedder:
    """An `index.embedder.Embedder` over the rebuilt model in `folder`. Safe to call from several threads.

    Args:
        source: the package's weights.
        folder: what `index.bundled.build.prepare` made of them.
        threads: CPU threads; 0 means all that this process may use.

    Raises:
        ModelError: the model's files are missing or damaged.
    """

    def __init__(self, source: build.BundledSource, folder: Path, *, threads: int = 0) -> None:
        self.name = build.MODEL_NAME
        self.revision = build.revision(source)
        self.query_prompt = build.PROMPTS["query"]
        self.passage_prompt = build.PROMPTS["passage"]
        self._network = Network(folder / NETWORK_FILE, threads=threads)
        self._tokenizer = build.bundled_tokenizer(source)
        self.dimension = self._network.hidden
        config = json.loads((folder / CONFIG_FILE).read_text(encoding="utf-8"))
        self._longest = int(config["max_seq_length"])
        special = self._tokenizer.num_special_tokens_to_add(False)
        prompts = max(self.count_tokens([self.query_prompt, self.passage_prompt]))
        self.max_tokens = self._longest - special - prompts

    def embed_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> Float32:
        """See `Embedder.embed_passages`."""
        return self._embed(texts, self.passage_prompt, progress)

    def embed_queries(self, texts: Sequence[str]) -> Float32:
        """See `Embedder.embed_queries`."""
        return self._embed(texts, self.query_prompt, None)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Embedder.count_tokens`."""
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def _embed(self, texts: Sequence[str], prompt: str, progress: Callable[[int], None] | None) -> Float32:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for block in _blocks(texts):
            encodings = self._tokenizer.encode_batch_fast([prompt + text for text in texts[block]])
            rows = [self._truncated(encoding.ids) for encoding in encodings]
            vectors[block] = self._network.means(rows, progress=progress)
        # A mean of normalised states is never 0: every text has at least its two special tokens.
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        return vectors

    def _truncated(self, ids: list[int]) -> list[int]:
        """At most `_longest` ids, of which the last stays the end-of-text token."""
        return ids if len(ids) <= self._longest else [*ids[: self._longest - 1], ids[-1]]


def _blocks(texts: Sequence[str]) -> Iterator[slice]:
    return (slice(start, start + _BLOCK_TEXTS) for start in range(0, len(texts), _BLOCK_TEXTS))
