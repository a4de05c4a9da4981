"""A fixture for tests of the index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from indexing import TEXTS, Bench

if TYPE_CHECKING:
    from index.embedder import Embedder


@pytest.fixture
def bench(tmp_path: Path, data_dir: Path, embedder: Embedder) -> Bench:
    """A folder with the texts of indexing.py and an empty data directory."""
    made = Bench(tmp_path / "docs", data_dir, embedder)
    made.folder.mkdir()
    for name, text in TEXTS.items():
        made.write(name, text)
    return made
