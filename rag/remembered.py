"""An embedder that remembers the vectors of questions: one answer asks for the same ones several times, and has
other things to do while the first is made."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from index.embedder import Embedder


class RememberingEmbedder:
    """An `Embedder` in front of another. Safe to call from several threads.

    Args:
        embedder: makes the vectors.
        kept: questions whose vectors are kept, the latest asked for; 1,000 of 384 numbers take 2 MB.
        at_once: questions whose vectors are made in the background at once.
    """

    def __init__(self, embedder: Embedder, *, kept: int = 1024, at_once: int = 2) -> None:
        self.name = embedder.name
        self.revision = embedder.revision
        self.dimension = embedder.dimension
        self.max_tokens = embedder.max_tokens
        self.query_prompt = embedder.query_prompt
        self.passage_prompt = embedder.passage_prompt
        self._embedder = embedder
        self._kept = kept
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="embedding")
        self._begun: dict[str, Future[NDArray[np.float32]]] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the threads in the background; nothing can be begun any more."""
        self._pool.shutdown()

    def embed_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """See `Embedder.embed_passages`; nothing is remembered."""
        return self._embedder.embed_passages(texts, progress=progress)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """See `Embedder.count_tokens`."""
        return self._embedder.count_tokens(texts)

    def begin(self, text: str) -> None:
        """Make the vector of a question in the background; `embed_queries` then waits for it, and raises its errors."""
        with self._lock:
            if text not in self._vectors and text not in self._begun:
                self._begun[text] = self._pool.submit(self._made, text)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embedder.embed_queries`."""
        with self._lock:
            known = {text: self._vectors[text] for text in texts if text in self._vectors}
            begun = {text: self._begun[text] for text in texts if text in self._begun}
        missing = list(dict.fromkeys(text for text in texts if text not in known and text not in begun))
        if missing:
            known.update(zip(missing, self._embedder.embed_queries(missing), strict=True))
        known.update((text, future.result()) for text, future in begun.items())
        with self._lock:
            self._keep(known)
        return np.stack([known[text] for text in texts]) if texts else self._embedder.embed_queries([])

    def _made(self, text: str) -> NDArray[np.float32]:
        try:
            vector: NDArray[np.float32] = self._embedder.embed_queries([text])[0]
            with self._lock:
                self._keep({text: vector})
            return vector
        finally:
            with self._lock:
                del self._begun[text]

    def _keep(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        for text, vector in vectors.items():
            self._vectors[text] = vector
            self._vectors.move_to_end(text)
        while len(self._vectors) > self._kept:
            self._vectors.popitem(last=False)
