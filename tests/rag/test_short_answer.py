"""What the reader points at becomes what a person would say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from index.types import Chunk, Sentence
from rag.answer import Hit
from rag.evidence import Evidence, Support
from rag.question import analyse
from rag.reader.encode import SpanScore
from rag.reader.passages import Read, Window
from rag.scoring import SentenceFeatures
from rag.short_answer import candidate, completed, of_one_number, place_of, short_answer

FEATURES = SentenceFeatures(behind=0.0, cosine=0.9, margin=9.0, answers=5.0)


def support(text: str, pointed: str, language: str = "en") -> Support:
    """A sentence in which the reader points at some characters."""
    sentence = Sentence("d:0", "d", 0, 0, len(text), text, language, "body")
    chunk = Chunk("d:c", "d", 0, 0, len(text), text, language, 0, 0)
    hit = Hit(chunk, "Title", None, language, score=0.9, dense=0.9, sentence=0.9, lexical=0.0)
    start = text.index(pointed)
    span = SpanScore(start, start + len(pointed), margin=9.0, share=0.9)
    return Support(sentence, hit, 5.0, FEATURES, span)


@pytest.mark.parametrize(
    ("text", "pointed", "language", "expected"),
    [
        pytest.param("The bridge cost 4.6 million.", "6", "en", "4.6 million", id="whole-number"),
        pytest.param("The fair opens on 12 May 2024.", "May", "en", "12 May 2024", id="whole-date"),
        pytest.param(
            "It was led by Anna Maria Berg then.", "Maria", "en", "Anna Maria Berg", id="whole-name"
        ),
        pytest.param("মেলায় ৫৪০টি দোকান ছিল।", "৫৪০", "bn", "540", id="digits-of-another-script"),
        pytest.param("She works as a carpenter.", "carpent", "en", "carpenter", id="whole-word"),
        pytest.param("They sell “tea”, and bread.", "“tea”,", "en", "tea", id="no-marks-at-its-edges"),
        pytest.param("東京は日本の首都です。", "東京", "ja", "東京", id="no-spaces-between-words"),
    ],
)
def test_a_span_is_completed(text: str, pointed: str, language: str, expected: str) -> None:
    found = support(text, pointed, language)
    assert found.span is not None
    assert completed(analyse("What is it?"), found, found.span)[0] == expected


@pytest.mark.parametrize(
    ("short", "text", "language", "said"),
    [
        ("2", "Hallen har sex banor på 25 meter och två pooler.", "sv", "två"),
        ("5", "It costs 2.5 or 5 euros.", "en", "5"),
        ("540+", "more than 540 sets", "en", "540"),
        ("10", "১০টি বই", "bn", "১০"),
        ("7", "There are 17.", "en", None),
    ],
)
def test_a_short_answer_is_never_a_part_of_a_larger_number(
    short: str, text: str, language: str, said: str | None
) -> None:
    place = place_of(short, text, language)
    assert (None if place is None else text[slice(*place)]) == said


def test_a_number_that_is_asked_for_and_not_pointed_at_does_not_fit() -> None:
    for pointed, figure in (("red", 0.0), ("41", 1.0)):
        found = support("The 41 boats are red.", pointed)
        evidence = Evidence(analyse("How many boats are there?"), supports=(found,), answered=0.9)
        told = candidate(evidence)
        assert told is not None
        assert (told[1].figure, told[1].misses) == (figure, 1 - figure)


@pytest.mark.parametrize(
    ("question", "reason"),
    [("Why is the pool closed?", "what explains is a sentence"), ("", "nothing was found")],
)
def test_nothing_short_is_asked_for(question: str, reason: str) -> None:
    supports = (support("The pool is closed because of the storm.", "storm"),) if question else ()
    assert candidate(Evidence(analyse(question or "Who?"), supports=supports, answered=0.9)) is None, reason


def test_a_sentence_that_was_not_read_has_no_candidate() -> None:
    unread = replace(support("The 41 boats are red.", "41"), span=None)
    assert candidate(Evidence(analyse("How many boats?"), supports=(unread,), answered=0.9)) is None


@pytest.mark.parametrize(
    ("text", "question", "expected"),
    [
        pytest.param("The 41 boats are red.", "How many boats are there?", "41", id="one"),
        pytest.param("Of 50 boats 41 are red.", "How many boats are red?", None, id="two"),
        pytest.param("The boats are red.", "How many boats are there?", None, id="none"),
        pytest.param("The 41 boats are red.", "What colour are the boats?", None, id="not-asked-for"),
    ],
)
def test_without_a_reader_the_one_number_of_a_sentence_answers(
    text: str, question: str, expected: str | None
) -> None:
    assert of_one_number(analyse(question), support(text, text[:3])) == expected


class Pointing:
    """A reading that points at everything in its window alike."""

    answered = 0.9

    def __init__(self, margin: float) -> None:
        self._margin = margin

    def best_in(self, start: int, end: int) -> SpanScore:
        return SpanScore(start, end, self._margin, 0.9)


def of_staff(question: str, doctors: float, nurses: float) -> Evidence:
    """Two numbers in one sentence, each read in its part with a margin."""
    text = "The clinic has 4 doctors and 11 nurses."
    parts = [("The clinic has 4 doctors", doctors), ("and 11 nurses.", nurses)]
    clauses = tuple(
        Read(Window("d", at, at + len(part), part), Pointing(margin))  # type: ignore[arg-type]
        for part, margin in parts
        if (at := text.index(part)) >= 0
    )
    return Evidence(analyse(question, language="en"), supports=(support(text, "4"),), clauses=clauses)


def test_of_several_numbers_the_likeliest_in_its_own_part_answers_and_is_as_sure_as_it_is_likely() -> None:
    sure, close = (short_answer(of_staff("How many nurses are there?", 2.0, nurses)) for nurses in (9.0, 2.2))
    assert sure is not None
    assert close is not None
    assert (sure.text, close.text) == ("11", "11")
    assert close.probability == pytest.approx(sure.probability * 2 / 7, abs=0.02)


def test_a_number_that_the_reader_points_at_is_asked_for_in_whichever_words() -> None:
    found = short_answer(of_staff("What is the staff of nurses?", 1.0, 8.0))
    assert found is not None
    assert found.text == "11"
