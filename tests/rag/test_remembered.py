"""Questions are embedded once, whoever asks for them again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from texts import MULTI_SCRIPT

from rag.remembered import RememberingEmbedder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from index.embedder import Embedder


@pytest.fixture
def asked(embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that reach the model."""
    reached: list[str] = []
    original = embedder.embed_queries

    def note(texts: Sequence[str]) -> NDArray[np.float32]:
        reached.extend(texts)
        return original(texts)

    monkeypatch.setattr(embedder, "embed_queries", note)
    return reached


def test_a_question_reaches_the_model_once(embedder: Embedder, asked: list[str]) -> None:
    remembering = RememberingEmbedder(embedder)
    first = remembering.embed_queries(["one", "two", "one"])
    assert asked == ["one", "two"]
    assert np.array_equal(first[0], first[2])
    assert np.array_equal(remembering.embed_queries(["two", "one"]), first[[1, 0]])
    assert asked == ["one", "two"]


def test_vectors_are_those_of_the_model(embedder: Embedder) -> None:
    texts = list(MULTI_SCRIPT.values())
    assert np.array_equal(RememberingEmbedder(embedder).embed_queries(texts), embedder.embed_queries(texts))


def test_the_oldest_are_forgotten(embedder: Embedder, asked: list[str]) -> None:
    remembering = RememberingEmbedder(embedder, kept=2)
    remembering.embed_queries(["one", "two"])
    remembering.embed_queries(["one"])  # asked for again: not the oldest any more
    remembering.embed_queries(["three"])
    remembering.embed_queries(["one", "three"])
    assert asked == ["one", "two", "three"]
    remembering.embed_queries(["two"])
    assert asked == ["one", "two", "three", "two"]


def test_nothing_in_nothing_out(embedder: Embedder) -> None:
    assert RememberingEmbedder(embedder).embed_queries([]).shape == (0, embedder.dimension)


def test_what_was_begun_is_waited_for(embedder: Embedder, asked: list[str]) -> None:
    remembering = RememberingEmbedder(embedder)
    remembering.begin("one")
    remembering.begin("one")
    both = remembering.embed_queries(["two", "one"])
    remembering.begin("one")
    remembering.close()
    assert sorted(asked) == ["one", "two"]
    assert np.array_equal(both, [embedder.embed_queries([text])[0] for text in ("two", "one")])


def test_what_was_begun_and_never_asked_for_is_known(embedder: Embedder, asked: list[str]) -> None:
    remembering = RememberingEmbedder(embedder)
    remembering.begin("one")
    remembering.close()
    assert asked == ["one"]
    remembering.embed_queries(["one"])
    assert asked == ["one"]


def test_an_error_in_the_background_reaches_who_asks(
    embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(Exception):
        pass

    def fail(_: Sequence[str]) -> NDArray[np.float32]:
        released.wait(10)
        raise Gone

    released = threading.Event()
    remembering = RememberingEmbedder(embedder)
    with monkeypatch.context() as failing:
        failing.setattr(embedder, "embed_queries", fail)
        remembering.begin("one")
        threading.Timer(0.05, released.set).start()
        with pytest.raises(Gone):
            remembering.embed_queries(["one"])
    assert remembering.embed_queries(["one"]).shape == (1, embedder.dimension)  # tried again
