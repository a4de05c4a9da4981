"""The quick matcher finds what the plain one finds, in every script."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from texts import HOSTILE, MULTI_SCRIPT, by_id

from rag.matching.lexical import matched, text_terms, wanted
from rag.matching.matcher import Matcher
from rag.question import analyse

QUESTIONS = (
    "What did the Lumen Museum in Can Tho open in 2024 under 57-NQ/TW?",
    "Can Tho đã công bố bao nhiêu bộ dữ liệu mở năm 2.024?",
    "ক্যান থো কতগুলি উন্মুক্ত ডেটাসেট প্রকাশ করেছে?",
    "कैन थो ने COVID-19 में 1.200 पुल क्यों बनाए?",
    "去年 GPT-4 修复了多少座桥?",
)
TEXTS = (
    "Lumenmuseet i Cantho öppnade 2024 med 1.200 besökare, se 57-NQ/TW och GPT-4.",
    "ক্যান থোর ৫৭ টি সেতু, ২০২৪ সালে ক্যানথো ও ভিয়েতনাম",
    "कैन थो में 2024 में पुलों की मरम्मत की गई",
    "Can. Tho\nCần Thơ can tho CANTHO",
    "昨年、橋は2024年に修理",
    "",
    *MULTI_SCRIPT.values(),
    *HOSTILE.values(),
)
LANGUAGES = ("en", "vi", "bn", "hi", "sv", "und")


def agree(question: str, texts: list[tuple[str, str]]) -> None:
    asked = wanted(analyse(question))
    matcher = Matcher(asked)
    for text, language in [*texts, *texts]:  # once more, now that the words are known
        assert matcher.matched(text, language) == matched(asked, text_terms(text, language))
    for spoken in LANGUAGES:  # pairs of words do not reach from one text into the next
        together = [text for text, language in texts if language == spoken]
        expected = {
            position
            for text in together
            for term in matched(asked, text_terms(text, spoken))
            for position in range(term.first, term.last + 1)
        }
        assert matcher.positions(together, spoken) == expected


@pytest.mark.parametrize("question", by_id({str(i): text for i, text in enumerate(QUESTIONS)}))
def test_finds_what_the_plain_one_finds(question: str) -> None:
    texts = [(text, language) for text in TEXTS for language in LANGUAGES]
    agree(question, texts)
    asked = wanted(analyse(question))
    assert any(matched(asked, text_terms(*text)) for text in texts), "the test compares something"


WORDS = st.sampled_from(sorted({word for text in (*QUESTIONS, *TEXTS) for word in text.split()}))


@settings(max_examples=60)
@given(
    question=st.lists(WORDS, min_size=1, max_size=10),
    texts=st.lists(st.lists(WORDS, max_size=15), min_size=1, max_size=3),
)
def test_finds_what_the_plain_one_finds_in_any_words(question: list[str], texts: list[list[str]]) -> None:
    agree(" ".join(question), [(" ".join(text), language) for text in texts for language in LANGUAGES])
