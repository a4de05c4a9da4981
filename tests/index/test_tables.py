"""Every table of a language is whole: what the guide in CONTRIBUTING.md asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
import regex

import index.language
from index.language.boundaries import sentence_spans
from index.language.detection import detect
from index.language.lexicon import FALLBACK, languages, lexicon
from index.language.sounds import sound
from index.language.terms import fold

FOLDER = Path(index.language.__file__).parent
SECTIONS = (
    "notices",
    "labels",
    "question",
    "words",
    "numbers",
    "conversation",
    "sentences",
    "detection",
    "names",
)
SAME_KEYS = ("notices", "labels", "question", "words", "sentences", "detection")


def table(language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / "tables" / f"{language}.toml").read_text("utf-8"))


@pytest.mark.parametrize("language", languages())
def test_a_table_has_all_sections(language: str) -> None:
    found = table(language)
    assert [section for section in SECTIONS if section not in found] == []
    assert found["name"]
    for section in SAME_KEYS:
        assert set(found[section]) == set(table(FALLBACK)[section]), section


@pytest.mark.parametrize("section", ["notices", "labels"])
@pytest.mark.parametrize("language", languages())
def test_a_translation_has_the_same_places(language: str, section: str) -> None:
    for name, text in table(language)[section].items():
        own, english = (
            {field for _, field, _, _ in Formatter().parse(t) if field}
            for t in (text, table(FALLBACK)[section][name])
        )
        assert own == english, name


@pytest.mark.parametrize("language", languages())
def test_words_are_in_lower_case(language: str) -> None:
    words = lexicon(language)
    rules = [word for kind in words.sentences.values() for word in kind]
    cues = [phrase for kind in words.question.values() for phrase in kind]
    assert [w for w in (*words.stop, *words.endings, *cues, *rules, *words.romanised) if w != w.lower()] == []
    assert [w for w in words.romanised if not w.isascii()] == []


@pytest.mark.parametrize("language", languages())
def test_a_script_knows_the_language(language: str) -> None:
    scripts = tomllib.loads((FOLDER / "scripts.toml").read_text("utf-8"))
    assert any(language in row["common"] for row in scripts.values())


@pytest.mark.parametrize("language", languages())
def test_rules_for_sounds_are_of_known_letters(language: str) -> None:
    common = tomllib.loads((FOLDER / "sounds.toml").read_text("utf-8"))["latin"]
    for letter, rules in {**common, **lexicon(language).sounds}.items():
        for letters, ways in rules:
            assert len(letter) == 1 and re.compile(letters)
            assert re.fullmatch("[a-zN -]+", ways)
    if lexicon(language).bare_word:
        assert regex.compile(lexicon(language).bare_word)
    assert all(sound(word, language) for word in lexicon(language).stop)


@pytest.mark.parametrize("language", languages())
def test_its_own_words_tell_the_language(language: str) -> None:
    assert detect(lexicon(language).notices["refusal"]) == language
    text = lexicon(language).notices["refusal"]
    assert [text[start:end] for start, end in sentence_spans(text, language)] == [text]


@pytest.mark.parametrize("language", languages())
def test_letters_of_a_language_are_in_no_other_table(language: str) -> None:
    own = lexicon(language).letters
    for other in set(languages()) - {language}:
        text = fold(" ".join(lexicon(other).labels.values()))
        assert own.isdisjoint(text), other
