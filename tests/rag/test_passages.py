"""The stretches of text that the reader gets, and what its reading says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from index.types import Chunk, Sentence
from rag.reader.encode import Row
from rag.reader.openvino_reader import Reading
from rag.reader.passages import Read, Window, windows

TEXT = "One two three. Four five. Six seven eight nine. Ten."


def sentences(document: str = "d") -> list[Sentence]:
    found, start = [], 0
    for ordinal, part in enumerate(TEXT.split(". ")):
        text = part if part.endswith(".") else f"{part}."
        found.append(
            Sentence(f"{document}:{ordinal}", document, ordinal, start, start + len(text), text, "en", "body")
        )
        start += len(text) + 1
    return found


def chunk(document: str = "d") -> Chunk:
    return Chunk(f"{document}:c", document, 0, 0, len(TEXT), TEXT, "en", 0, 3)


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def made(first: Sequence[tuple[str, int]], *, most: int = 4, tokens: int = 100) -> list[str]:
    """The windows' texts for sentences named by document and ordinal, the most promising first."""
    candidates = [(sentences(document)[ordinal], chunk(document)) for document, ordinal in first]
    found = windows(candidates, lambda c: sentences(c.document_id), count_words, most=most, tokens=tokens)
    for window in found:
        assert TEXT[window.start : window.end] == window.text
    return [f"{window.document_id}: {window.text}" for window in found]


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (1, "Four five."),  # a sentence is read whole, however long
        (2, "Four five."),
        (5, "One two three. Four five."),  # the one before first
        (8, "One two three. Four five."),
        (9, "One two three. Four five. Six seven eight nine."),
        (10, TEXT),
    ],
)
def test_a_window_grows_on_both_sides_while_there_is_room(tokens: int, text: str) -> None:
    assert made([("d", 1)], tokens=tokens) == [f"d: {text}"]


def test_what_does_not_fit_before_does_not_keep_out_what_fits_after() -> None:
    assert made([("d", 2)], tokens=5) == ["d: Six seven eight nine. Ten."]


def test_a_sentence_that_is_read_already_makes_no_window() -> None:
    assert made([("d", 1), ("d", 0), ("d", 3)], tokens=5) == [
        "d: One two three. Four five.",
        "d: Six seven eight nine. Ten.",
    ]
    assert made([("a", 0), ("b", 0)], tokens=100) == [f"a: {TEXT}", f"b: {TEXT}"]


@pytest.mark.parametrize(("most", "count"), [(0, 0), (1, 1), (2, 2), (9, 2)])
def test_there_are_at_most_so_many(most: int, count: int) -> None:
    assert len(made([("a", 0), ("b", 0)], most=most)) == count


def test_a_sentence_that_is_gone_from_its_chunk_is_read_alone() -> None:
    gone = replace(sentences()[1], ordinal=77)
    (window,) = windows([(gone, chunk())], lambda _: sentences(), count_words, most=1, tokens=50)
    assert window.text == gone.text


def reading(start: Sequence[float], end: Sequence[float], answered: float) -> Reading:
    """Of the window "ab cd", two tokens behind a question of one."""
    row = Row(ids=(0, 9, 2, 2, 11, 12, 2), first=4, offsets=((0, 2), (3, 5)))
    logits = np.full((7, 2), -9.0, np.float32)
    logits[4:6, 0], logits[4:6, 1] = start, end
    return Reading(row, logits, answered)


def test_spans_share_the_probability() -> None:
    even = reading((0.0, 0.0), (0.0, 0.0), 0.0)  # "ab", "cd" and "ab cd" are as likely as one another
    assert even.answered == pytest.approx(0.5)
    assert even.covers(0, 2) == pytest.approx(2 / 3)
    assert even.covers(3, 5) == pytest.approx(2 / 3)
    assert even.covers(0, 5) == pytest.approx(1.0)
    assert even.covers(2, 3) == 0.0  # the space between
    sure = reading((0.0, 20.0), (0.0, 20.0), 3.0)
    assert sure.best is not None
    assert (sure.best.start, sure.best.end) == (3, 5)
    assert sure.covers(3, 5) == pytest.approx(1.0)


def test_a_span_within_a_stretch_stands_above_no_answer_by_its_margin() -> None:
    split = reading((0.0, 2.0), (1.0, 0.0), 0.0)
    split_none = -18.0  # start and end of the first token
    first, whole = split.best_in(0, 2), split.best_in(0, 5)
    assert first is not None
    assert whole is not None
    assert (first.start, first.end, first.margin) == (0, 2, pytest.approx(1.0 - split_none))
    assert (whole.start, whole.end, whole.margin) == (3, 5, pytest.approx(2.0 - split_none))
    assert whole.share == pytest.approx(split.covers(3, 5))
    assert split.best_in(0, 1) is None, "no token lies within"
    shifted = Read(Window("d", 10, 15, "ab cd"), split)
    inside = shifted.best_in(Sentence("d:0", "d", 0, 13, 15, "cd", "en", "body"))
    assert inside is not None
    assert (inside.start, inside.end) == (0, 2)
    assert shifted.best_in(Sentence("d:1", "d", 1, 3, 5, "cd", "en", "body")) is None


def test_a_place_outside_of_the_window_holds_no_answer() -> None:
    read = Read(Window("d", 10, 15, "ab cd"), reading((0.0, 20.0), (0.0, 20.0), 0.0))
    assert read.answer_in("d", 13, 15) == pytest.approx(0.5)
    assert read.answer_in("d", 0, 5) == 0.0
    assert read.answer_in("other", 13, 15) == 0.0


def test_a_window_without_words_has_no_answer() -> None:
    row = Row(ids=(0, 9, 2, 2, 2), first=4, offsets=())
    empty = Reading(row, np.zeros((5, 2), np.float32), 0.0)
    assert empty.best is None
    assert empty.covers(0, 10) == 0.0
