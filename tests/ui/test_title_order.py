"""Titles in the order of the reader's language, compared with what a browser's own collation says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import httpx
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from texts import HOSTILE, MULTI_SCRIPT

from index.language.lexicon import languages, lexicon
from ui.labels import labels_in
from ui.page.title_order import title_key

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ORDERS = {
    "numbers by value, before letters": ("en", ["Report 9", "Report 10", "Report 010 b", "Report x"]),
    "digits of every script": ("hi", ["२ घर", "3 घर", "১০ घर", "अ"]),
    "signs do not count at the ends": ("en", ["“Annual” report", "(b)", "…c", "d?"]),
    "the case only where all else is the same": ("en", ["annual", "Annual", "annual b", "Annual c"]),
    "marks only where the letters are": ("en", ["resume", "résumé", "resume a"]),
    "Swedish letters come last": ("sv", ["Aland", "Zon", "Åland", "Ärende", "Ærø", "Öland", "Ørsted"]),
    "and stand beside others elsewhere": (
        "en",
        ["Ærø", "Aland", "Åland", "Ärende", "Öland", "Ørsted", "Zon"],
    ),
    "Vietnamese letters": ("vi", ["an", "ăn", "ân", "da", "đa", "om", "ôm", "ơm", "um", "ưm"]),
    "Vietnamese tones": ("vi", ["ma", "mà", "mả", "mã", "má", "mạ", "mạ a"]),
    "Bengali, its signs behind its vowels": ("bn", ["অ", "কং", "কঁ", "কা", "খ", "তা", "ৎসা", "থ", "a"]),
    "Hindi": ("hi", ["ॐ", "अं", "आ", "क", "कं", "का", "क्", "ख"]),
    "the reader's own script first": ("bn", ["আলো", "annual"]),
    "which is another one for another reader": ("sv", ["annual", "আলো"]),
    "a language without a table: as in English": ("de", ["Aal", "Äpfel", "Zoo"]),
}


@pytest.mark.parametrize(("language", "ordered"), ORDERS.values(), ids=ORDERS)
def test_orders(language: str, ordered: list[str]) -> None:
    keys = [title_key(title, language) for title in ordered]
    assert all(one < other for one, other in pairwise(keys)), ordered


def words_of(language: str) -> Iterator[str]:
    """The words of a table. Candrabindu and anusvara are one letter to both; which comes first is not told apart."""
    table = lexicon(language)
    for text in (*labels_in(language).values(), *table.stop):
        yield from (
            word
            for word in re.split(r"[\s…]+", text)
            if regex.fullmatch(r"[\p{L}\p{M}\p{N}--\u0901]+", word, regex.V1)
        )


@pytest.mark.parametrize("language", languages())
def test_a_browsers_collation_agrees(browser: Browser, language: str) -> None:
    words = sorted({word for each in {language, "en", "sv", "vi"} for word in words_of(each)})
    titles = [*words, *(f"{one} {other} {len(one)}" for one, other in pairwise(words))]
    assert len(titles) > 1000
    titles.sort(key=lambda title: title_key(title, language))
    page = browser.new_page()
    wrong = page.evaluate(
        """([titles, language]) => {
            const {compare} = new Intl.Collator(language, {numeric: true});
            const beside = titles.slice(1).map((each, at) => [titles[at], each]);
            return beside.filter(([one, other]) => compare(one, other) > 0);
        }""",
        [titles, language],
    )
    page.close()
    assert wrong == []


@pytest.mark.parametrize(
    ("language", "first"), [("bn", "চাঁদপুর"), ("hi", "सूरजगढ़"), ("vi", "Cầu"), ("sv", "Cầu")]
)
def test_the_list_follows_the_language_of_the_page(page_server: str, language: str, first: str) -> None:
    answer = httpx.get(
        f"{page_server}/chat/documents/list",
        params={"order": "title"},
        headers={"accept-language": language},
        timeout=60,
    )
    titles = re.findall(r'class="pd-open"[^>]*>([^<]+)<', answer.text)
    assert titles[0].startswith(first)
    assert len(titles) == 7


@pytest.mark.parametrize("language", languages())
def test_any_title_has_its_place(language: str) -> None:
    titles = [*MULTI_SCRIPT.values(), *HOSTILE.values(), "", " ", "9" * 5000, "\ud800"]
    keys = {title_key(title, language) for title in titles}
    assert len(keys) == len(set(titles)), "no two stand in the same place"


@given(st.lists(st.text(max_size=8), min_size=3, max_size=3), st.sampled_from(languages()))
def test_case_and_what_stands_around_move_no_letter(titles: list[str], language: str) -> None:
    for title in titles:
        assert title_key(f"“{title}”", language)[0] == title_key(title, language)[0]
        assert title_key(title.casefold(), language)[0] == title_key(title, language)[0]
