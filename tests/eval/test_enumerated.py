"""Made enumerations that teach to find the value that stands with a word."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from eval.learning.enumerated import Enumerated
from eval.learning.office import LANGUAGES
from eval.learning.windows import Example, Windows
from eval.learning.word_pairs import WordPairs
from index.embedder import load_embedder
from index.settings import IndexSettings

TEXTS = {
    "en": "doctor hospital river forest school teacher winter music bridge money horse bread",
    "sv": "läkare sjukhus flod skog skola lärare vinter musik bro pengar häst bröd",
    "hi": "डॉक्टर अस्पताल नदी जंगल स्कूल शिक्षक सर्दी संगीत पुल पैसा घोड़ा रोटी",
    "bn": "ডাক্তার হাসপাতাল নদী বন স্কুল শিক্ষক শীত সংগীত সেতু টাকা ঘোড়া রুটি",
    "vi": "đường trường sông rừng cầu tiền ngựa nhạc đông bánh thầy viện",
}
DRAWS = 400


@pytest.fixture(scope="module")
def enumerated() -> Enumerated:
    texts = {language: [text, text] for language, text in TEXTS.items()}
    pairs = WordPairs(texts, load_embedder(IndexSettings()).embed_queries)
    return Enumerated(pairs, {"en": ["It rained. Who came?"]}, Windows(lambda found: [9 for _ in found]))


@pytest.fixture(scope="module")
def drawn(enumerated: Enumerated) -> list[Example]:
    random, found = Random(5), list[Example]()
    while len(found) < DRAWS:
        example = enumerated.draw(random)
        found += [example] if example else []
    return found


def test_an_answer_is_one_of_several_values(drawn: list[Example]) -> None:
    for example in drawn:
        if example.answer is None:
            continue
        answer = example.window[example.answer.start : example.answer.end]
        assert answer.strip() == answer != ""
        assert len(example.window) > 2 * len(answer), example


def test_what_is_not_answered_names_nothing_that_stands_there(drawn: list[Example]) -> None:
    absent = [example for example in drawn if example.answer is None]
    assert 0.12 < len(absent) / DRAWS < 0.3
    asked = [e for e in absent if e.asked == e.read == "en"]
    for example in asked:
        assert not any(
            w in example.question.lower() and w in example.window.lower() for w in TEXTS["en"].split()
        )


def test_every_language_asks_about_every_other(drawn: list[Example]) -> None:
    pairs = Counter((example.asked, example.read) for example in drawn)
    assert all(pairs[a, r] for a in LANGUAGES for r in LANGUAGES)


def test_nothing_that_asks_stands_beside(drawn: list[Example]) -> None:
    assert any("It rained." in example.window for example in drawn)
    assert not any("Who came?" in example.window for example in drawn)
