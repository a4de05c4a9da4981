"""The vectors of questions: each is made once, and beside other work."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from index.embedder import Embedder

Vector = NDArray[np.float32]


class QuestionVectors:
    """Makes the vectors of questions in the background and remembers them. Safe to call from several threads.

    Args:
        embedder: makes the vectors.
        kept: questions whose vectors are kept, the latest asked for; 1,000 of 384 numbers take 2 MB.
        at_once: questions whose vectors are made at once.
    """

    def __init__(self, embedder: Embedder, *, kept: int = 1024, at_once: int = 2) -> None:
        self.revision = embedder.revision
        self._embedder = embedder
        self._kept = kept
        # One that failed is not kept: it is tried again.
        self._vectors: OrderedDict[str, Future[Vector]] = OrderedDict()
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="embedding")
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the threads in the background; nothing new can be asked for any more."""
        self._pool.shutdown()

    def of(self, text: str) -> Future[Vector]:
        """The vector (dimension,) of a question, which may still be in the making; errors of that come with it."""
        with self._lock:
            found = self._vectors.get(text)
            if found is None or (found.done() and found.exception() is not None):
                found = self._vectors[text] = self._pool.submit(self._made, text)
            self._vectors.move_to_end(text)
            while len(self._vectors) > self._kept:
                self._vectors.popitem(last=False)
        return found

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The vectors of questions, (texts, dimension), as `Embedder.embed_queries` makes them."""
        return np.stack([made.result() for made in [self.of(text) for text in texts]])

    def _made(self, text: str) -> Vector:
        vector: Vector = self._embedder.embed_queries([text])[0]
        return vector
