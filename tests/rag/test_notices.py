"""The texts of answers and of the page, by language."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from index.language.lexicon import FALLBACK, languages
from rag.notices import login_words, notices_in
from ui.labels import labels_in

TEXTS = (notices_in, login_words, labels_in)


@pytest.mark.parametrize("texts", TEXTS)
def test_every_language_says_it_in_its_own_words(texts: Callable[[str], Mapping[str, str]]) -> None:
    english = texts(FALLBACK)
    for language in set(languages()) - {FALLBACK}:
        assert texts(language).keys() == english.keys()
        assert texts(language) != english


@pytest.mark.parametrize("language", ["de", "und", "", "../en", "en.toml"])
@pytest.mark.parametrize("texts", TEXTS)
def test_a_language_without_a_table_reads_english(
    texts: Callable[[str], Mapping[str, str]], language: str
) -> None:
    assert texts(language) == texts(FALLBACK)


def test_the_page_has_the_words_for_signing_in() -> None:
    assert login_words("sv").items() <= labels_in("sv").items()
