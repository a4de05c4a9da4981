"""Questions are embedded once, whoever asks for them again."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pytest
from texts import MULTI_SCRIPT

from rag.matching.vectors import QuestionVectors

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


@pytest.fixture
def vectors(embedder: Embedder) -> Iterator[QuestionVectors]:
    made = QuestionVectors(embedder, kept=2)
    yield made
    made.close()


def test_a_question_reaches_the_model_once(vectors: QuestionVectors, asked: list[str]) -> None:
    first, again = vectors.of("one"), vectors.of("one")
    assert np.array_equal(first.result(), again.result())
    assert np.array_equal(vectors.of("one").result(), first.result())
    assert asked == ["one"]


def test_vectors_are_those_of_the_model(vectors: QuestionVectors, embedder: Embedder) -> None:
    for text in MULTI_SCRIPT.values():
        assert np.array_equal(vectors.of(text).result(), embedder.embed_queries([text])[0])


def test_the_oldest_are_forgotten(vectors: QuestionVectors, asked: list[str]) -> None:
    for text in ("one", "two", "one", "three"):  # "one" is asked for again: not the oldest any more
        vectors.of(text).result()
    for text in ("one", "three"):
        vectors.of(text).result()
    assert asked == ["one", "two", "three"]
    vectors.of("two").result()
    assert asked == ["one", "two", "three", "two"]


def test_what_was_begun_is_finished_before_the_end(embedder: Embedder, asked: list[str]) -> None:
    vectors = QuestionVectors(embedder)
    begun = vectors.of("one")
    vectors.close()
    assert begun.done()
    assert asked == ["one"]


def test_an_error_in_the_background_reaches_who_asks(
    vectors: QuestionVectors, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(Exception):
        pass

    def fail(_: Sequence[str]) -> NDArray[np.float32]:
        released.wait(10)
        raise Gone

    released = threading.Event()
    with monkeypatch.context() as failing:
        failing.setattr(embedder, "embed_queries", fail)
        begun = vectors.of("one")
        threading.Timer(0.05, released.set).start()
        with pytest.raises(Gone):
            begun.result()
    assert vectors.of("one").result().shape == (embedder.dimension,)  # tried again
