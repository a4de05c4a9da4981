"""The language of an answer, told by what the assistant says itself."""

from __future__ import annotations

import pytest
from scored import TEXTS, answer, citation

from eval.metrics import answer_language
from index.language.lexicon import languages
from rag.notices import notices_in

NAMES = ["2025", "Göteborg", "Thành phố Cần Thơ", "ক্যান থো", "कान थो", "Ho Chi Minh City", "東京", "القاهرة"]
# The remaining notices are single words that the chat page shows beside an answer.
SAID = [
    "answer",
    "answer_quote",
    "also",
    "refusal",
    "refusal_empty",
    "refusal_name",
    "refusal_number",
    "nearest",
]


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("notice", SAID)
@pytest.mark.parametrize("quoted", TEXTS)
def test_every_notice_is_in_its_language(language: str, notice: str, quoted: str) -> None:
    quote = TEXTS[quoted]
    for name in NAMES:
        text = notices_in(language)[notice].format(short=name, quote=quote, marker="[1]", name=name)
        cited = (citation(quoted, 0, len(quote)),)
        short = name if notice == "answer" else None
        # "de" is none of the tables, so only detection can be right.
        found = answer_language(answer(cited, answer=text, short_answer=short, language="de"))
        assert found == language, text


@pytest.mark.parametrize(
    ("text", "short", "expected"),
    [
        pytest.param("", None, "bn", id="empty"),
        pytest.param("540 [1]", "540", "bn", id="nothing but the short answer"),
        pytest.param(
            f"“{TEXTS['sv1']}” [1] https://example.org/a/long/english/path", None, "bn", id="quote and URL"
        ),
        pytest.param("the end [1]", None, "bn", id="under eight letters"),
        pytest.param(
            "As the report explains, the city published several new data sets [1].", None, "en", id="no quote"
        ),
        pytest.param(
            "en: Staden har publicerat många nya dataset", "en", "sv", id="a short answer that is a word"
        ),
    ],
)
def test_what_the_assistant_says_itself(text: str, short: str | None, expected: str) -> None:
    assert answer_language(answer(answer=text, short_answer=short, language="bn")) == expected


def test_an_empty_quote_takes_nothing_out() -> None:
    said = "The indexed documents do not answer this question."
    assert (
        answer_language(answer((citation("gone", 0, 3),), answer=said, short_answer=None, language="de"))
        == "en"
    )
