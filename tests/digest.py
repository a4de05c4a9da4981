"""An embedder without a model, for tests of what is stored when: `from digest import DigestEmbedder, settings_for`.

A vector is a digest of its text, the same in every process, so that a start takes two seconds instead of ten.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.settings import IndexSettings


class DigestEmbedder:
    """Unit vectors from the SHA-256 of texts.

    Args:
        pause: seconds a text takes.
        revision: another one makes other vectors, as another model does.
    """

    name = "digest"
    dimension = 16
    max_tokens = 512
    query_prompt = ""
    passage_prompt = ""

    def __init__(self, *, pause: float = 0.0, revision: str = "1") -> None:
        self.revision = revision
        self._pause = pause

    def embed_passages(
        self, texts: Sequence[str], *, progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            salt = "" if self.revision == "1" else self.revision
            seed = int.from_bytes(hashlib.sha256(f"{salt}{text}".encode()).digest()[:8], "big")
            row[:] = np.random.default_rng(seed).standard_normal(self.dimension)
            if self._pause:
                time.sleep(self._pause)
            if progress is not None:
                progress(1)
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.embed_passages(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


def settings_for(data_dir: Path, **values: Any) -> IndexSettings:
    """Settings of a data directory; unless told otherwise, every change makes a new Chroma version."""
    return IndexSettings(**{"data_dir": data_dir, "chroma_rebuild_share": 0.0, "_env_file": None, **values})
