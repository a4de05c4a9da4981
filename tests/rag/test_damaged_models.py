"""Files of models that are cut off, changed or no such files: a line that says which one, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from index.errors import ModelError
from rag.intent import WEIGHTS, Intents
from rag.reader.weights import read_weights
from rag.settings import BUNDLED_READER


class NoVectors:
    revision = "none"

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.zeros((len(texts), 1), np.float32)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda whole: whole[: len(whole) // 2], id="cut off"),
        pytest.param(lambda whole: whole[:7], id="its first bytes"),
        pytest.param(lambda _: b"", id="empty"),
        pytest.param(lambda whole: b"\xff" * 100 + whole[100:], id="its beginning overwritten"),
        pytest.param(lambda _: b"no model at all" * 100, id="another file"),
    ],
)
@pytest.mark.parametrize(
    ("source", "read"),
    [
        pytest.param(BUNDLED_READER, read_weights, id="reader"),
        pytest.param(WEIGHTS, lambda path: Intents(NoVectors(), file=path), id="intents"),
    ],
)
def test_a_damaged_file_is_named(
    source: Path, read: Callable[[Path], object], damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / source.name
    path.write_bytes(damage(source.read_bytes()))
    with pytest.raises(ModelError, match=source.name) as caught:
        read(path)
    assert "\n" not in str(caught.value)
