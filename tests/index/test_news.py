"""Source lines, comment counters and captions of news pages in many languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.normalise import normalise
from index.readers.news import names_source, read_news, web_address
from index.types import Span

URL = "https://skhcn.example.gov.vn/tin-tuc/a-b--1020529"
BODY = "The council met on Monday and agreed on the plan."


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(f"সূত্র: {URL}", id="bn"),
        pytest.param(f"स्रोत: {URL}", id="hi"),
        pytest.param(f"Källa: {URL}", id="sv"),
        pytest.param(f"KÄLLA : {URL}.", id="sv-capitals-and-stop"),
        pytest.param(f"Source:{URL}", id="en-no-space"),
        pytest.param(f"Source : {URL}", id="fr"),
        pytest.param(f"Nguồn: {URL}", id="vi"),
        pytest.param(f"来源：{URL}", id="zh-full-width"),
        pytest.param(f"资料来源： {URL}。", id="zh-longer-word"),
        pytest.param(f"出典:{URL}", id="ja"),
        pytest.param(f"Fuente: {URL}", id="es"),
        pytest.param(f"Quelle: {URL}", id="de"),
        pytest.param(f"Источник: {URL}", id="ru"),
        pytest.param(f"المصدر: {URL}", id="ar"),
        pytest.param(f"ที่มา: {URL}", id="th"),
        pytest.param(f"(Source: {URL})", id="brackets"),
        pytest.param(f"**Källa:** <{URL}>", id="markup-left-over"),
        pytest.param(f"Source: The Daily Herald ({URL})", id="name-before"),
        pytest.param(f"Source: {URL} (accessed 3 May 2025)", id="text-behind"),
        pytest.param(f"Källa {URL}", id="no-colon"),
        pytest.param(f"Nguồn:\n{URL}", id="url-on-next-line"),
    ],
)
def test_source_line_becomes_the_address_and_goes(line: str) -> None:
    page = read_news(normalise(f"{BODY}\n{line}\nComments (3)"))
    assert page.source_url == URL
    assert page.text == BODY


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("Source: Ministry of Planning", id="no-url"),
        pytest.param("Source: javascript:alert(1)", id="javascript"),
        pytest.param("Source: ftp://example.org/a", id="ftp"),
        pytest.param("Source: www.example.org/a", id="no-scheme"),
        pytest.param("Source: https://", id="no-host"),
        pytest.param("Source: http://[::1", id="malformed-host"),
        pytest.param(f"The open source project is at {URL} since May.", id="word-in-sentence"),
        pytest.param(f"Resource: {URL}", id="word-inside-word"),
        pytest.param(f"Källan till problemet: {URL}", id="inflected-in-sentence"),
        pytest.param(f"See {URL}", id="other-word"),
        pytest.param(
            f"Source: {URL} and then the minister went on to explain why the plan had been late for years.",
            id="long",
        ),
    ],
)
def test_other_lines_stay(line: str) -> None:
    text = f"{BODY}\n{line}"
    page = read_news(text)
    assert (page.source_url, page.text) == (None, text)


def test_the_last_source_line_counts() -> None:
    page = read_news(
        f"Source: https://a.example/photo\n{BODY}\n\nSource: https://b.example/page\n\nComments (0)"
    )
    assert page.source_url == "https://b.example/page"
    assert page.text == f"Source: https://a.example/photo\n{BODY}"


@pytest.mark.parametrize(
    ("text", "address"),
    [
        pytest.param("https://a.example/x.", "https://a.example/x", id="stop"),
        pytest.param("(https://a.example/x)", "https://a.example/x", id="bracket"),
        pytest.param("https://a.example/x_(y)", "https://a.example/x_(y)", id="paired-bracket"),
        pytest.param("HTTP://A.example/", "HTTP://A.example/", id="case"),
        pytest.param("https://bücher.example/über", "https://bücher.example/über", id="international"),
        pytest.param("https://উদাহরণ.বাংলা/পাতা", "https://উদাহরণ.বাংলা/পাতা", id="bengali-host"),
        pytest.param("https://a.example/x?b=1&c=2#d।", "https://a.example/x?b=1&c=2#d", id="query-danda"),
        pytest.param("data:text/html,x", None, id="data"),
        pytest.param("", None, id="empty"),
    ],
)
def test_web_address(text: str, address: str | None) -> None:
    assert web_address(text) == address


@pytest.mark.parametrize(
    "counter",
    [
        "মন্তব্য (0)",
        "মন্তব্য (১২)",
        "टिप्पणी (0)",
        "टिप्पणी (१२)",
        "Kommentar (0)",
        "Comments (12)",
        "1,204 comments",
        "Comments: 3",
        "Bình luận (0)",
        "评论（3）",
        "التعليقات (٤)",
    ],
)
def test_counters_at_the_end_go(counter: str) -> None:
    page = read_news(normalise(f"{BODY}\n\n\n{counter}"))
    assert page.text == BODY


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Comments (12)", id="only-line"),
        pytest.param("\n".join(["Comments (12)", *[BODY] * 9]), id="far-from-the-end"),
        pytest.param(f"{BODY}\nComments are welcome until 12 May.", id="sentence"),
        pytest.param(f"{BODY}\nComments", id="no-number"),
        pytest.param(f"{BODY}\nTasks (12)", id="other-word"),
    ],
)
def test_what_only_looks_like_a_counter_stays(text: str) -> None:
    assert read_news(text).text == text


PARAGRAPH = (
    "The delegations agreed to go on with the exchange of technology, and to meet again in the spring."
)


def captions(text: str) -> list[str]:
    page = read_news(text)
    return [page.text[s.start : s.end] for s in page.marked if s.kind == "caption"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            f"{BODY}\n\nScene of the meeting\n{PARAGRAPH}", ["Scene of the meeting"], id="over-a-paragraph"
        ),
        pytest.param(
            f"{BODY}\n\nDie Brücke. Foto: A. Berg\n{BODY}", ["Die Brücke. Foto: A. Berg"], id="credit-de"
        ),
        pytest.param(f"{BODY}\nসভা চলছে। ছবি: সংবাদপত্র।\n{BODY}", ["সভা চলছে। ছবি: সংবাদপত্র।"], id="credit-bn"),
        pytest.param(f"{BODY}\nफोटो: पीटीआई", ["फोटो: पीटीआई"], id="credit-hi"),
        pytest.param(f"{BODY}\nToàn cảnh. Ảnh: Báo Cần Thơ", ["Toàn cảnh. Ảnh: Báo Cần Thơ"], id="credit-vi"),
        pytest.param(f"{BODY}\n\nIt was a short sentence.\n{PARAGRAPH}", [], id="finished-sentence"),
        pytest.param(f"{BODY}\n\nThe results were as follows:\n{PARAGRAPH}", [], id="leads-on"),
        pytest.param(f"{BODY}\n\n- first of the tasks\n{PARAGRAPH}", [], id="list-item"),
        pytest.param(f"{BODY}\nScene of the meeting\n{PARAGRAPH}", [], id="no-blank-line-before"),
        pytest.param(f"{BODY}\n\nScene of the meeting\n\n{PARAGRAPH}", [], id="blank-line-after"),
        pytest.param(f"{BODY}\n\nScene of the meeting", [], id="nothing-below"),
        pytest.param(
            f"{BODY}\n\nThis line was cut by the width of a page\nand the next one goes on the same way.",
            [],
            id="wrapped-lines",
        ),
        pytest.param("Foto: se bilden. " + PARAGRAPH * 5, [], id="word-in-a-long-paragraph"),
        pytest.param(f"{BODY}\nThey use a telephoto: it is long.", [], id="word-inside-word"),
    ],
)
def test_captions(text: str, expected: list[str]) -> None:
    assert captions(normalise(text)) == expected


def test_spans_of_a_reader_move_with_the_text() -> None:
    text = f"Comments (3)\n\nSource: {URL}\n\nHeading two\n\n{BODY}"
    start = text.index("Heading two")
    page = read_news(text, [Span(start, start + 11, "heading")])
    assert [(page.text[s.start : s.end], s.kind) for s in page.marked] == [("Heading two", "heading")]
    assert page.source_url == URL


def test_names_source() -> None:
    assert names_source("Source: The Herald")
    assert not names_source("The source: The Herald")


@given(
    st.lists(
        st.sampled_from(
            [
                "",
                " x",
                "Scene",
                PARAGRAPH,
                f"Source: {URL}",
                "Comments (3)",
                "Foto: A",
                "সূত্র:",
                URL,
                "Source:",
                "॥",
            ]
        ),
        max_size=14,
    )
)
def test_result_is_normalised_and_spans_are_lines(lines: list[str]) -> None:
    text = normalise("\n".join(lines))
    page = read_news(text)
    assert normalise(page.text) == page.text
    previous = 0
    for span in page.marked:
        assert previous <= span.start < span.end <= len(page.text)
        assert page.text[span.start : span.end].strip() == page.text[span.start : span.end]
        previous = span.end
    assert set(page.text.split("\n")) <= {*text.split("\n"), ""}
