"""Answers and summaries as a person reads them: layout, wrapping, and nothing that a terminal would obey."""

from __future__ import annotations

import io

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from texts import HOSTILE, MULTI_SCRIPT, by_id

from rag.answer import Answer, Citation, Parallel
from ui import render

QUOTE = "শহরটি ৫৪০ টিরও বেশি উন্মুক্ত ডেটা সেট প্রকাশ করেছে।"
URL = "https://news.example/" + "a-very-long-path/" * 8


def citation(**changes: object) -> Citation:
    values: dict[str, object] = {
        "marker": 1,
        "document_id": "d1",
        "source_url": URL,
        "title": "ক্যান থো",
        "language": "bn",
        "quote": QUOTE,
        "start": 0,
        "end": len(QUOTE),
        "score": 1.0,
        "parallel": (Parallel("d2", "hi"), Parallel("d3", "sv")),
    }
    return Citation(**{**values, **changes})  # type: ignore[arg-type]


def answer(text: str, *citations: Citation, short: str | None = None, refused: bool = False) -> Answer:
    return Answer(
        id="a1",
        question="How many?",
        standalone_question="How many?",
        language="en",
        answer=text,
        short_answer=short,
        refused=refused,
        refusal_reason="unanswered" if refused else None,
        engine="extractive",
        model=None,
        grounding="none" if refused else "verified",
        citations=citations,
    )


def shown(given: Answer, *, width: int | None = None) -> str:
    """What a pipe gets, or a terminal of a width, without its colours."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=width is not None,
        color_system=None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    render.show_answer(console, given)
    assert isinstance(console.file, io.StringIO)
    return regex.sub(r"\x1b\[[0-9;]*m", "", console.file.getvalue())


def test_an_answer_is_its_text_then_each_source() -> None:
    text = f"540+ — the source says: “{QUOTE}” [1]"
    assert shown(answer(text, citation(), short="540+")).splitlines() == [
        text,
        "",
        "[1] ক্যান থো (Bangla)",
        f"    {URL}",
        "    also in: Hindi, Swedish",
    ]


def test_a_short_answer_that_the_text_does_not_begin_with_comes_first() -> None:
    lines = shown(answer("The city published many. [1]", citation(), short="540+")).splitlines()
    assert lines[:2] == ["540+", "The city published many. [1]"]
    assert f"    “{QUOTE}”" in lines, "the quote is shown where the text does not hold it"


def test_a_refusal_shows_the_nearest_passages_as_such() -> None:
    text = "The indexed documents do not answer this question."
    lines = shown(answer(text, citation(parallel=(), source_url=None), refused=True)).splitlines()
    assert lines == [
        text,
        "",
        "The nearest passages, which do not answer it:",
        "",
        "[1] ক্যান থো (Bangla)",
        f"    “{QUOTE}”",
    ]


def test_on_a_terminal_lines_keep_to_its_width_but_for_urls() -> None:
    for line in shown(answer(f"“{QUOTE}” [1]", citation()), width=30).splitlines():
        assert cell_len(line) <= 30 or line.strip() == URL.strip()


@pytest.mark.parametrize("text", by_id({**MULTI_SCRIPT, **HOSTILE}))
def test_a_terminal_gets_nothing_to_obey(text: str) -> None:
    out = shown(answer(text, citation(title=text, quote=text, source_url=text), short=text[:3]), width=40)
    assert not regex.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", out)


_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200)


@given(_TEXTS, st.integers(1, 60))
def test_wrapping_loses_no_word_and_breaks_no_character(text: str, width: int) -> None:
    lines = list(render.wrapped(text, width=width))
    assert regex.sub(r"\s", "", "".join(lines)) == regex.sub(r"\s", "", text)
    whole = [cluster for word in text.split() for cluster in regex.findall(r"\X", word)]
    assert [
        cluster for line in lines for word in line.split() for cluster in regex.findall(r"\X", word)
    ] == whole


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        pytest.param("", 10, [""], id="empty"),
        pytest.param("one two three", 7, ["one two", "three"], id="between-words"),
        pytest.param("विश्वविद्यालय", 6, ["विश्वविद्या", "लय"], id="conjuncts-stay-whole"),
        pytest.param("界界界界", 4, ["界界", "界界"], id="wide-characters"),
        pytest.param("see https://a.example/b now", 8, ["see", "https://a.example/b", "now"], id="url"),
        pytest.param("a\n\nb", 5, ["a", "", "b"], id="paragraphs"),
    ],
)
def test_lines_of_a_width(text: str, width: int, lines: list[str]) -> None:
    assert list(render.wrapped(text, width=width)) == lines
