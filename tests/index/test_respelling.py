"""Questions in Latin letters, spelt as their language writes them."""

from __future__ import annotations

import pytest

from index.language.respelling import is_romanised, keys_wanted, respelt
from index.language.terms import sound_keys, split_words

WRITTEN = {
    "hi": "पुस्तकालय सुबह खुलता है। गाँव में तीन तालाब हैं।",
    "bn": "গ্রন্থাগার সকালে খোলে। গ্রামে তিনটি পুকুর আছে।",
}


@pytest.mark.parametrize(
    ("language", "text", "spelt"),
    [
        pytest.param("hi", "pustakalay kab khulta hai?", "पुस्तकालय कब खुलता है?", id="hindi"),
        pytest.param("hi", "gaanv mein kitne talab hain", "गाँव में कितने तालाब हैं", id="hindi-vowels-doubled"),
        pytest.param("bn", "granthagar kokhon khole?", "গ্রন্থাগার কখন খোলে?", id="bengali"),
        pytest.param("bn", "Xyzzy te koto pukur ache", "Xyzzy te কত পুকুর আছে", id="unknown-words-stay"),
        pytest.param("bn", "pukur 14%", "পুকুর 14%", id="numbers-stay"),
    ],
)
def test_words_are_spelt_by_those_that_stand_in_texts(language: str, text: str, spelt: str) -> None:
    assert respelt(text, language, split_words(WRITTEN[language])) == spelt


def test_names_stay_as_they_are() -> None:
    assert respelt("Talab mein kya hai", "hi", split_words(WRITTEN["hi"]), kept=["Talab"]).startswith(
        "Talab में"
    )


def test_the_words_of_the_documents_are_found_by_the_keys_that_are_wanted() -> None:
    assert keys_wanted("pukur koto", "bn") & set(sound_keys("পুকুর", "bn"))


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("hi", "kab", True),
        ("hi", "कब", False),
        ("hi", "kab खुलता", False),
        ("sv", "när", False),
        ("xx", "a", False),
    ],
)
def test_what_is_in_latin_letters(language: str, text: str, expected: bool) -> None:
    assert is_romanised(text, language) is expected
