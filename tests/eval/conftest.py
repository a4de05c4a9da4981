"""Fixtures of the tests of public data.

    suite_options  function  what every suite is made with: its work folder, settings, and an embedder that counts

The files themselves are in public_files.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from index.settings import IndexSettings

if TYPE_CHECKING:
    from index.embedder import Embedder


class Counting:
    """The bundled model, which also counts what it embeds."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.passages = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._embedder, name)

    def embed_passages(self, texts: list[str], **options: Any) -> Any:
        """Count and embed."""
        self.passages += len(texts)
        return self._embedder.embed_passages(texts, **options)


@pytest.fixture
def suite_options(tmp_path: Path, embedder: Embedder, model_dir: Path) -> dict[str, Any]:
    """What every suite is made with."""
    settings = IndexSettings(data_dir=model_dir.parent, _env_file=None)
    return {"work": tmp_path / "work", "embedder": Counting(embedder), "settings": settings}
