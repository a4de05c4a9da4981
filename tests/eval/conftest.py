"""Fixtures of the tests of public data and of what learns from it.

    squad_folder   session   a folder of the articles of reader_towns.py in two languages
    pair_encoder   session   the encoder of questions and windows that the reader comes with
    suite_options  function  what every suite is made with: its work folder, settings, and an embedder that counts

The files themselves are in public_files.py.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from reader_towns import squad

from index.settings import IndexSettings

if TYPE_CHECKING:
    from index.embedder import Embedder
    from rag.reader.encode import PairEncoder


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


@pytest.fixture(scope="session")
def squad_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the same SQuAD articles in two languages."""
    path = tmp_path_factory.mktemp("squad")
    for language in ("en", "sv"):
        (path / f"towns.{language}.json").write_text(json.dumps(squad(language)), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def pair_encoder() -> PairEncoder:
    """The encoder that the reader comes with."""
    from rag.reader.encode import PairEncoder  # seconds: only for the tests that need it

    return PairEncoder.bundled()
