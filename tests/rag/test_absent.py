"""What can be said to stand in no document."""

from __future__ import annotations

import pytest

from eval.studies.denials import counted
from rag.matching.absent import absent
from rag.matching.lexical import wanted
from rag.matching.matcher import Matcher
from rag.question import analyse

TEXTS = {
    "en": ["The harbour of Sydney opened in 1932.", "Oslo lies in Norway."],
    "hi": ["सिडनी का बंदरगाह 1932 में खुला।", "ओस्लो नॉर्वे में है।"],
}


def told(question: str, language: str, spoken: str) -> tuple[str, ...]:
    """What is said to stand nowhere, asked of the first text of a language."""
    asked = analyse(question, language=language)
    terms = wanted(asked)
    return absent(
        asked,
        terms,
        held=Matcher(terms).positions(TEXTS[spoken][:1], spoken),
        digits={"1932"},
        language=spoken,
        frequencies=counted(TEXTS[spoken], spoken),
    )


@pytest.mark.parametrize(
    ("question", "spoken", "expected"),
    [
        pytest.param("How large is Kathmandu?", "en", ("Kathmandu",), id="nowhere"),
        pytest.param("How large is Kathmandu?", "hi", ("Kathmandu",), id="nowhere in another script"),
        pytest.param("How large is Sydney?", "hi", (), id="in the passage by its sound"),
        pytest.param("How large is Oslo?", "en", (), id="in another document"),
        pytest.param("How large is Sydney Tower?", "en", (), id="a word of it"),
        pytest.param("How large is South Africa?", "hi", (), id="a country that Hindi has a word for"),
        pytest.param(
            "How large is South Africa?", "en", ("South Africa",), id="a country in its own language"
        ),
        pytest.param("What does the IPCC say?", "hi", (), id="an abbreviation may be spelt out"),
        pytest.param("What is the Indian share?", "en", (), id="an adjective names nothing"),
        pytest.param("What opened in 1932?", "en", (), id="a number that is held"),
        pytest.param("What opened in 1731?", "en", ("1731",), id="a number that is not"),
        pytest.param("How large is a harbour?", "en", (), id="no name"),
    ],
)
def test_only_what_stands_nowhere_is_said_to(question: str, spoken: str, expected: tuple[str, ...]) -> None:
    assert told(question, "en", spoken) == expected


def test_a_longer_word_may_hold_the_name_of_a_text() -> None:
    assert told("Hur stor är Sydneyhamnen?", "sv", "en") == ()
    assert told("Hur stor är Trondheimshamnen?", "sv", "en") == ("Trondheimshamnen",)
