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
from rag.notices import notices_in
from ui.labels import labels_in

FOLDER = Path(index.language.__file__).parent
ROOT = FOLDER.parents[1]
# Where what people read is translated, beside what knows the language.
TRANSLATED = ("rag", "ui")
SECTIONS = (
    "question",
    "words",
    "numbers",
    "currencies",
    "conversation",
    "sentences",
    "detection",
    "names",
)
SAME_KEYS = ("question", "words", "sentences", "detection", "currencies")


def table(language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / "tables" / f"{language}.toml").read_text("utf-8"))


@pytest.mark.parametrize("language", languages())
def test_a_table_has_all_sections(language: str) -> None:
    found = table(language)
    assert [section for section in SECTIONS if section not in found] == []
    assert found["name"]
    for section in SAME_KEYS:
        assert set(found[section]) == set(table(FALLBACK)[section]), section


@pytest.mark.parametrize("folder", TRANSLATED)
def test_every_language_is_translated_in_every_place(folder: str) -> None:
    assert {path.stem for path in (ROOT / folder / "tables").glob("*.toml")} == set(languages())


@pytest.mark.parametrize("folder", TRANSLATED)
@pytest.mark.parametrize("language", languages())
def test_a_translation_has_the_same_names_and_places(language: str, folder: str) -> None:
    own, english = translated(language, folder), translated(FALLBACK, folder)
    assert list(own) == list(english)
    for name, text in own.items():
        assert text
        assert fields(text) == fields(english[name]), name


def translated(language: str, folder: str) -> dict[tuple[str, str], str]:
    """What a table of texts says, by section and name."""
    sections = tomllib.loads((ROOT / folder / "tables" / f"{language}.toml").read_text("utf-8"))
    return {(section, name): text for section, words in sections.items() for name, text in words.items()}


def fields(text: str) -> set[str]:
    return {field for _, field, _, _ in Formatter().parse(text) if field}


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
            assert re.fullmatch("[a-zN. -]+", ways)
    if lexicon(language).bare_word:
        assert regex.compile(lexicon(language).bare_word)
    assert all(sound(word, language) for word in lexicon(language).stop)


@pytest.mark.parametrize("language", languages())
def test_its_own_words_tell_the_language(language: str) -> None:
    assert detect(notices_in(language)["refusal"]) == language
    text = notices_in(language)["refusal"]
    assert [text[start:end] for start, end in sentence_spans(text, language)] == [text]


@pytest.mark.parametrize("language", languages())
def test_letters_of_a_language_are_in_no_other_table(language: str) -> None:
    own = lexicon(language).letters
    for other in set(languages()) - {language}:
        text = fold(" ".join([*labels_in(other).values(), *notices_in(other).values()]))
        assert own.isdisjoint(text), other
