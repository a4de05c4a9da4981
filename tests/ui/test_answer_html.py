"""An answer as HTML: everything about its sources is shown, and nothing of a document becomes markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from shown_html import Shown
from texts import HOSTILE, MULTI_SCRIPT, by_id

from index.language.lexicon import languages
from rag.answer import Answer, Citation, Gloss, Parallel
from rag.asking import Ask
from rag.links import safe_url, source_link, text_fragment
from rag.notices import notices_in
from ui.answer_html import Viewer, lines, plain, said_html
from ui.labels import labels_in
from ui.names import direction, language_name
from ui.page.turns import passage
from ui.sources_html import reference, sources_html, translation_link

if TYPE_CHECKING:
    from rag.assistant import Assistant

QUESTION = "How many open data sets has the city of Can Tho published?"
# An allow list: what the page's own HTML is made of.
TAGS = {
    "div", "p", "span", "a", "br", "blockquote", "mark", "section", "ol", "ul", "li", "h4", "h5", "q", "button",
}  # fmt: skip
ATTRIBUTES = {
    "class", "id", "lang", "dir", "href", "target", "rel", "title", "type", "tabindex", "role",
    "aria-label", "data-copy", "data-ask", "data-document",
}  # fmt: skip
TRANSLATOR = "https://translator.example/?from={source}&to={target}&text={text}"


def citation(**changes: object) -> Citation:
    values = {
        "marker": 1,
        "document_id": "d1",
        "source_url": "https://news.example/a",
        "title": "শিরোনাম",
        "language": "bn",
        "quote": "সেতু ১২টি।",
        "start": 10,
        "end": 20,
        "score": 1.0,
    }
    return Citation(**{**values, **changes})  # type: ignore[arg-type]


def answer(*citations: Citation, **changes: object) -> Answer:
    values = {
        "id": "0123456789abcdef",
        "question": "How many bridges?",
        "standalone_question": "How many bridges?",
        "language": "en",
        "answer": f"12 — the source says: “{citations[0].quote if citations else ''}” [1]",
        "short_answer": "12",
        "refused": False,
        "refusal_reason": None,
        "engine": "extractive",
        "model": None,
        "grounding": "verified",
        "citations": citations,
    }
    return Answer(**{**values, **changes})  # type: ignore[arg-type]


def viewer(language: str = "en", **changes: object) -> Viewer:
    values = {"language": language, "translator": TRANSLATOR, "day": date(2026, 1, 2)}
    return Viewer(**{**values, **changes})  # type: ignore[arg-type]


def answer_html(
    said: Answer, passage: Callable[[Citation], tuple[str, str, str]], *, shown_to: Viewer | None = None
) -> str:
    found = shown_to or viewer(said.language)
    return f"<div>{said_html(said, found)}{sources_html(said, passage, found)}</div>"


def alone(cited: Citation) -> tuple[str, str, str]:
    return "", cited.quote, ""


def normal(text: str) -> str:
    return " ".join(text.split())


# -- an answer


def test_an_answer_shows_everything_about_its_source() -> None:
    cited = citation(parallel=(Parallel("d2", "hi"), Parallel("d3", "sv"), Parallel("d4", "sv")))
    html = answer_html(answer(cited), lambda _: ("Before. ", cited.quote, " After."))
    shown = Shown(html)
    assert shown.marked == ["১২", cited.quote]  # the short answer in the quote, the quote in its passage
    assert f"Before. {cited.quote} After." in shown.text
    for words in (
        "12",
        cited.title,
        language_name("bn"),
        "Other languages: Hindi, Swedish",
        "news.example/a",
        "Sources",
    ):
        assert words in shown.text
    assert '<p class="pc-short">12</p>' in html
    assert shown.text.count("12 —") == 0, "the short answer is set off, not said twice"


def test_a_marker_leads_to_its_source() -> None:
    shown = Shown(answer_html(answer(citation()), alone))
    [marker] = [link for link in shown.links if link.startswith("#")]
    ids = [attributes.get("id") for _, attributes in shown.elements]
    assert ids.count(marker[1:]) == 1


def test_only_markers_of_citations_are_links() -> None:
    cited = citation(quote="see [1] and [2]")
    text = f"“{cited.quote}” [1] [2] [1]"
    shown = Shown(answer_html(answer(cited, answer=text, short_answer=None), alone))
    assert len([link for link in shown.links if link.startswith("#")]) == 2
    assert normal(text) in normal(shown.text)


@pytest.mark.parametrize(
    ("language", "attribute"),
    [("bn", 'lang="bn" dir="ltr"'), ("ar", 'lang="ar" dir="rtl"'), ("und", 'lang="und" dir="auto"')],
)
def test_a_quote_says_its_language_and_direction(language: str, attribute: str) -> None:
    html = answer_html(answer(citation(language=language)), alone)
    assert f'<blockquote class="pc-passage" {attribute}>' in html
    assert f"<q {attribute}>" in html


def test_a_refusal_is_shown_as_one() -> None:
    text = "The indexed documents do not answer this question."
    refused = answer(
        citation(),
        answer=text,
        short_answer=None,
        refused=True,
        refusal_reason="unanswered",
        grounding="none",
    )
    html = answer_html(refused, alone)
    shown = Shown(html)
    assert "Not in the documents" in shown.text
    assert "none of them answers" in shown.text
    assert text in shown.text
    assert notices_in("en")["nearest"].rstrip(":") in shown.text
    assert not [link for link in shown.links if link.startswith("#")]


def test_a_refusal_without_passages_has_no_empty_panel() -> None:
    assert "pc-sources" not in answer_html(answer(answer="Nothing.", short_answer=None, refused=True), alone)


@pytest.mark.parametrize("language", languages())
def test_what_is_around_an_answer_speaks_the_language_of_the_page(language: str) -> None:
    shown = Shown(answer_html(answer(citation(), language="en"), alone, shown_to=viewer(language)))
    for name in ("chat_quoted_words", "chat_open_document", "chat_copy_reference", "chat_verified"):
        assert labels_in(language)[name] in shown.text
    assert language_name("bn", shown_in=language) in shown.text


# -- documents are data


@pytest.mark.parametrize("text", by_id({**HOSTILE, **MULTI_SCRIPT}))
@pytest.mark.parametrize("place", ["quote", "title", "source_url", "passage", "answer", "language"])
def test_nothing_of_a_document_becomes_markup(place: str, text: str) -> None:
    changes = {place: text} if place in ("quote", "title", "source_url", "language") else {}
    cited = citation(**changes)
    said = answer(cited, answer=text, short_answer=text) if place == "answer" else answer(cited)
    around = (text, cited.quote, text) if place == "passage" else ("", cited.quote, "")
    html = answer_html(said, lambda _: around)
    shown = Shown(html)
    assert {tag for tag, _ in shown.elements} <= TAGS
    assert {name for _, attributes in shown.elements for name in attributes} <= ATTRIBUTES
    assert all(link.startswith(("#pc-", "https://", "http://", "/?document=")) for link in shown.links)
    assert "tracker.example" not in [urlsplit(link).hostname for link in shown.links]
    if place in ("quote", "title", "passage"):
        assert normal(printable(text)) in normal(shown.text), "and is shown as it is"


def printable(text: str) -> str:
    return "".join(character for character in text if character.isspace() or ord(character) >= 32)


@pytest.mark.parametrize("text", by_id(HOSTILE))
def test_the_foreign_text_holds_no_sign_that_markdown_knows(text: str) -> None:
    """Character references of ASCII punctuation, and nothing else of ASCII punctuation."""
    for html in (plain(text), lines(text)):
        rest = re.sub(r"&#\d+;", "", html.replace("<br>", ""))
        assert re.fullmatch(r"[^!-/:-@\[-`{-~]*", rest), rest
        assert "\n\n" not in html, "an empty line would end the block of HTML"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("https://news.example/a?b=1&c=2#d", "https://news.example/a?b=1&c=2#d", id="https"),
        pytest.param("HTTP://news.example", "HTTP://news.example", id="capitals"),
        pytest.param(
            "https://tin.example/đường", "https://tin.example/%C4%91%C6%B0%E1%BB%9Dng", id="other script"
        ),
        pytest.param("https://a.example/%20x", "https://a.example/%20x", id="encoded already"),
        pytest.param('https://a.example/"onclick="x', "https://a.example/%22onclick=%22x", id="quotes"),
        pytest.param("javascript:alert(1)", None, id="javascript"),
        pytest.param("java\nscript:alert(1)", None, id="broken javascript"),
        pytest.param(" javascript:alert(1)", None, id="space before"),
        pytest.param("data:text/html,<script>", None, id="data"),
        pytest.param("file:///etc/passwd", None, id="file"),
        pytest.param("//news.example/a", None, id="no scheme"),
        pytest.param("https:///a", None, id="no host"),
        pytest.param("https://[::1", None, id="malformed"),
        pytest.param("https://a.example/x y", None, id="space"),
        pytest.param("/v1/documents", None, id="path"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="none"),
    ],
)
def test_only_web_addresses_are_links(url: str | None, expected: str | None) -> None:
    assert safe_url(url) == expected


def test_an_address_that_is_no_link_is_shown_as_text() -> None:
    shown = Shown(answer_html(answer(citation(source_url="javascript:alert(1)")), alone))
    assert "javascript:alert(1)" in shown.text
    assert not [link for link in shown.links if "javascript" in link]


def test_links_open_apart_and_tell_nothing() -> None:
    elements = Shown(answer_html(answer(citation()), alone)).elements
    links = [given for tag, given in elements if tag == "a" and str(given["href"]).startswith("http")]
    assert len(links) == 3, "the source, the quoted words, the translator"
    for link in links:
        assert link["target"] == "_blank"
        assert link["rel"] == "noopener noreferrer nofollow"


@pytest.mark.parametrize(
    ("cited", "shown_to", "expected"),
    [
        pytest.param(citation(quote="a&b"), viewer(), "from=bn&to=en&text=a%26b", id="another language"),
        pytest.param(citation(quote="{target}"), viewer(), "text=%7Btarget%7D", id="fields in the quote"),
        pytest.param(citation(language="und"), viewer(), "from=auto&to=en", id="no language"),
        pytest.param(citation(), viewer("bn"), None, id="the reader's own language"),
        pytest.param(citation(), viewer(translator=None), None, id="no translator"),
    ],
)
def test_a_quote_can_be_translated(cited: Citation, shown_to: Viewer, expected: str | None) -> None:
    link = translation_link(cited, shown_to)
    if expected is None:
        assert link is None
    else:
        assert link is not None
        assert expected in link


@pytest.mark.parametrize("language", languages())
def test_a_reference_names_all_that_is_needed_to_find_the_words_again(language: str) -> None:
    text = reference(citation(title="A title.", quote="two\nlines"), viewer(language))
    assert text.startswith("A title. https://news.example/a. “two lines”. ")
    assert "2026" in text or "২০২৬" in text or "२०२६" in text
    assert reference(citation(source_url=None), viewer()).count("None") == 0


@pytest.mark.parametrize(
    ("changes", "label"),
    [
        ({}, "chat_verified"),
        ({"engine": "llm", "model": "served"}, "chat_supported"),
        ({"grounding": "partial"}, "chat_partial"),
        ({"grounding": "partial", "engine": "llm", "model": "served"}, "chat_partial"),
    ],
    ids=["quoted", "written", "changed meanwhile", "written, in part"],
)
def test_how_far_an_answer_is_borne_out_is_said(changes: dict[str, object], label: str) -> None:
    text = Shown(answer_html(answer(citation(), **changes), alone)).text
    said = [
        name for name in ("chat_verified", "chat_supported", "chat_partial") if labels_in("en")[name] in text
    ]
    assert said == [label]


def test_a_refusal_says_that_only_a_part_was_searched() -> None:
    refused = answer(answer="No.", short_answer=None, refused=True, refusal_reason="name", grounding="none")
    why = labels_in("en")["chat_why_scope"]
    assert why in Shown(answer_html(refused, alone, shown_to=viewer(partly=True))).text
    assert why not in Shown(answer_html(refused, alone)).text


def test_a_completed_question_is_shown() -> None:
    assert "Understood as: X?" in Shown(answer_html(answer(citation(), standalone_question="X?"), alone)).text
    assert "Understood as" not in Shown(answer_html(answer(citation()), alone)).text


@pytest.mark.parametrize(
    ("quoted", "expected"),
    [
        pytest.param("two words", ":~:text=two%20words", id="short"),
        pytest.param("a b c d e f g h i", ":~:text=a%20b%20c%20d,f%20g%20h%20i", id="long"),
        pytest.param("a-b, c & d", ":~:text=a%2Db%2C%20c%20%26%20d", id="signs of the syntax"),
        pytest.param("সেতু", ":~:text=%E0%A6%B8%E0%A7%87%E0%A6%A4%E0%A7%81", id="Bengali"),
    ],
)
def test_a_text_fragment(quoted: str, expected: str) -> None:
    assert text_fragment(quoted) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://news.example/a", "https://news.example/a#:~:text=x"),
        ("https://news.example/a#top", "https://news.example/a#top:~:text=x"),
    ],
    ids=["no fragment", "with a fragment"],
)
def test_a_source_link_leads_to_the_quoted_words(url: str, expected: str) -> None:
    assert source_link(citation(source_url=url, quote="x")) == expected


@pytest.mark.parametrize(
    ("code", "shown_in", "expected"),
    [("hi", "en", "Hindi"), ("hi", "sv", "hindi"), ("xx", "en", "xx"), ("sv", "zz", "Swedish")],
)
def test_language_names(code: str, shown_in: str, expected: str) -> None:
    assert language_name(code, shown_in=shown_in) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("en", "ltr"), ("ur", "rtl"), ("he", "rtl"), ("und", "auto"), ("", "auto"), ("?", "auto")],
)
def test_directions(code: str, expected: str) -> None:
    assert direction(code) == expected


# -- the passages of quotes


def test_the_passage_of_a_quote(assistant: Assistant) -> None:
    for cited in assistant.answer(Ask(QUESTION)).citations:
        before, quoted, after = passage(assistant.corpus, cited)
        document = assistant.corpus.document(cited.document_id)
        assert document is not None
        assert quoted == cited.quote
        start = cited.start - len(before)
        assert document.text[start : cited.end + len(after)] == before + quoted + after
        assert before or after


def test_the_quote_of_a_document_that_is_gone_stands_alone(assistant: Assistant) -> None:
    assert passage(assistant.corpus, citation()) == ("", citation().quote, "")


def test_the_documents_own_version_stands_before_the_quote() -> None:
    gloss = Gloss("sv", "Det finns 12 <b>broar</b>.", "d2", "Broar", 3, 29)
    page = answer_html(answer(citation(gloss=gloss)), alone, shown_to=viewer("sv"))
    assert "Dokumentets egen version på svenska" in page
    assert "<b>" not in page
    assert page.index("Det finns 12") < page.index("সেতু ১২টি")


def test_a_short_answer_that_is_sure_has_its_gloss_below() -> None:
    said = answer(
        citation(), answer="১২টি (12) — the source says: x [1]", short_answer="১২টি", short_gloss="12"
    )
    page = answer_html(said, alone)
    assert '<p class="pc-short">১২টি</p><p class="pc-gloss"' in page
    assert "(12)" not in page
