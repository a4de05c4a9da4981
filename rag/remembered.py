"""An embedder that remembers the vectors of questions: one answer asks for the same ones several times."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from index.embedder import Embedder


class RememberingEmbedder:
    """An `Embedder` in front of another. Safe to call from several threads.

    Args:
        embedder: makes the vectors.
        kept: questions whose vectors are kept, the latest asked for; 1,000 of 384 numbers take 2 MB.
    """

    def __init__(self, embedder: Embedder, *, kept: int = 1024) -> None:
        self.name = embedder.name
        self.revision = embedder.revision
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens
        self.query_prompt = embedder.query_prompt
        self.passage_prompt = embedder.passage_prompt
        self._embedder = embedder
        self._kept = kept
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()

    def embed_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """See `Embedder.embed_passages`; nothing is remembered."""
        return self._embedder.embed_passages(texts, progress=progress)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Embedder.count_tokens`."""
        return self._embedder.count_tokens(texts)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed_queries`."""
        with self._lock:
            known = {text: self._vectors[text] for text in texts if text in self._vectors}
        missing = list(dict.fromkeys(text for text in texts if text not in known))
        if missing:
            rows = self._embedder.embed_queries(missing)
            known.update(zip(missing, rows, strict=True))
        with self._lock:
            for text in texts:
                self._vectors[text] = known[text]
                self._vectors.move_to_end(text)
            while len(self._vectors) > self._kept:
                self._vectors.popitem(last=False)
        return np.stack([known[text] for text in texts]) if texts else self._embedder.embed_queries([])
