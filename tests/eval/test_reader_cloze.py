"""Questions made from statements for the reader's training."""

from __future__ import annotations

from random import Random

import pytest

from eval.learning.cloze import ASKED, Vocabulary, ask_for, candidates, same_in
from eval.learning.data import Corpus, Paragraph, Place, Texts
from eval.learning.examples import Examples
from eval.learning.windows import Windows
from index.bundled import build
from rag.reader.encode import PairEncoder

SENTENCE = "In 1957 the engineer Anna Berg opened 12 schools near Malmö."


def place_of(text: str, words: str) -> Place:
    return Place(text.index(words), text.index(words) + len(words))


@pytest.mark.parametrize(
    ("words", "asking"), [("12", "how many"), ("1957", "what year")], ids=["a-count", "a-year"]
)
@pytest.mark.parametrize("seed", range(5))
def test_what_is_taken_out_is_asked_for(words: str, asking: str, seed: int) -> None:
    whole = Place(0, len(SENTENCE))
    question = ask_for(Random(seed), SENTENCE, place_of(SENTENCE, words), whole, "en")
    assert asking in question
    assert words not in question.split()
    assert question.endswith("?")
    left = {word.strip(".?") for word in question.replace(asking, "").split()}
    assert left <= {word.strip(".") for word in SENTENCE.split()}


@pytest.mark.parametrize("language", sorted(ASKED))
def test_every_language_asks_in_its_own_words(language: str) -> None:
    whole = Place(0, len(SENTENCE))
    asked = ask_for(Random(1), SENTENCE, place_of(SENTENCE, "12"), whole, language)
    assert (asked == ask_for(Random(1), SENTENCE, place_of(SENTENCE, "12"), whole, "en")) == (
        language == "en"
    )


def test_numbers_and_names_come_before_other_words() -> None:
    vocabulary = Vocabulary(["the engineer opened schools " * 50])
    places = candidates(Random(0), SENTENCE, 0, len(SENTENCE), vocabulary)
    assert {SENTENCE[p.start : p.end] for p in places} == {"1957", "12", "Anna Berg", "Malmö"}


def test_only_rare_words_are_asked_for() -> None:
    vocabulary = Vocabulary(["the river runs " * 300, "quietly"])
    text = "the river runs quietly"
    for seed in range(10):
        (place,) = candidates(Random(seed), text, 0, len(text), vocabulary)
        assert text[place.start : place.end] == "quietly"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("Luther", "Luther lämnade Rom.", "Luther", id="same-letters"),
        pytest.param("Luther", "लूथर ने रोम छोड़ा।", "लूथर", id="another-script"),
        pytest.param("Luther", "लूथर ने लूथर को देखा।", None, id="twice"),
        pytest.param("Luther", "Någon lämnade Rom.", None, id="not-there"),
    ],
)
def test_a_name_is_found_in_a_translation(name: str, text: str, expected: str | None) -> None:
    place = same_in(name, text)
    assert (text[place.start : place.end] if place else None) == expected


@pytest.mark.skipif(build.find_source() is None, reason="the bundled model is not installed")
def test_plain_texts_become_examples_that_hold_their_answer() -> None:
    sentences = [
        f"In {1900 + i} the engineer Anna Berg{i} opened {30 + i} schools in Town{i}." for i in range(40)
    ]
    corpus = Corpus(
        passages=(Paragraph("a", {"en": sentences[0]}),),
        unanswered=(),
        texts=(Texts("en", tuple(sentences)),),
        hashes={},
    )
    encoder = PairEncoder.bundled()
    examples = Examples(corpus, windows=Windows(encoder.count), similar={}, seed=1)
    made = [example for i in range(60) if (example := examples._cloze(Random(i))) is not None]
    assert len({example.question for example in made}) > 40
    for example in made:
        assert example.answer is not None
        taken = example.window[example.answer.start : example.answer.end]
        assert taken not in example.question.rstrip("?").split()
