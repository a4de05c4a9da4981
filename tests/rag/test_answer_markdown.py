"""An answer as Markdown: its markers are links, and nothing that a document holds is more than text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shown import shown
from texts import HOSTILE, MULTI_SCRIPT, by_id

from rag.answer import Answer, Citation, pieces
from rag.api.markdown import PlainMarkers, answer_markdown, definitions, from_markdown
from rag.api.openai_stream import InlineLinks, LateLinks


def answer_with(text: str, *quotes: str, url: str | None = "https://a.example/x") -> Answer:
    citations = tuple(
        Citation(
            marker=marker,
            document_id="d",
            source_url=url,
            title="t",
            language="en",
            quote=quote,
            start=0,
            end=len(quote),
            score=1.0,
        )
        for marker, quote in enumerate(quotes, start=1)
    )
    return Answer(
        id="i",
        question="q",
        standalone_question="q",
        language="en",
        answer=text,
        short_answer=None,
        refused=False,
        refusal_reason=None,
        engine="llm",
        model="m",
        grounding="verified",
        citations=citations,
    )


@pytest.mark.parametrize("text", by_id(HOSTILE))
def test_a_document_puts_nothing_into_the_page(text: str) -> None:
    """Only the marker is a link, whatever is quoted."""
    content = answer_markdown(answer_with(f"It says: “{text}” [1]", text))
    _, links, kinds = shown(content)
    assert not kinds & {"image", "html_inline", "html_block", "code_inline"}
    assert len(links) == 1
    assert links[0].startswith("https://a.example/x#:~:text=")


@pytest.mark.parametrize(
    ("url", "link"),
    [
        pytest.param("https://a.example/x", "https://a.example/x#:~:text=q", id="plain"),
        pytest.param("https://a.example/x_(y)", "https://a.example/x_(y)#:~:text=q", id="parentheses"),
        pytest.param("https://a.example/)x", "https://a.example/)x#:~:text=q", id="closing one"),
        pytest.param("https://a.example/?a=1&copy;=2", "https://a.example/?a=1&copy;=2#:~:text=q", id="entity"),
        pytest.param("https://a.example/#part", "https://a.example/#part:~:text=q", id="fragment"),
        pytest.param("javascript:alert(1)", None, id="script"),
        pytest.param("https://a.example/ x", None, id="space"),
        pytest.param(None, None, id="none"),
    ],
)  # fmt: skip
def test_where_a_marker_leads(url: str | None, link: str | None) -> None:
    answer = answer_with("So. [1]", "q", url=url)
    text, links, _ = shown(answer_markdown(answer))
    assert links == ([] if link is None else [link])
    assert text == ("So. 1" if link else "So. [1]")
    late = f"So. [1]\n\n{definitions(answer)}"
    assert shown(late)[1] == links


@pytest.mark.parametrize(
    ("text", "quotes", "links"),
    [
        pytest.param("A [1][2] b", ("q", "r"), 2, id="adjacent"),
        pytest.param("A [1](not a link)", ("q",), 1, id="before a parenthesis"),
        pytest.param("[1]: said first", ("q",), 1, id="like a definition"),
        pytest.param("A [3] b", ("q",), 0, id="no such citation"),
        pytest.param("It says: “see [1]” [1]", ("see [1]",), 1, id="in the quote"),
        pytest.param("array[0] and [sic] [1]", ("q",), 1, id="other brackets"),
    ],
)
def test_what_is_a_marker(text: str, quotes: tuple[str, ...], links: int) -> None:
    assert len(shown(answer_markdown(answer_with(text, *quotes)))[1]) == links


@pytest.mark.parametrize(
    ("text", "quotes"),
    [
        ("A [1][2] b [1](c) d", ("q", "r")),
        ("[1]: said first", ("q",)),
        ("array[0] and [sic] `x` <b> ![i](u) [1]", ("q",)),
        ("see HTTPS://a.example/b, www.c.example or w.w: [1]: http:/x", ("q",)),
    ],
)
@given(data=st.data())
def test_late_links_whatever_the_pieces(text: str, quotes: tuple[str, ...], data: st.DataObject) -> None:
    """However the text is cut, the stream shows the same text and links."""
    answer = answer_with(text, *quotes)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)))))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    content = LateLinks()
    stream = "".join([*(out for part in parts for out in content.feed(part)), *content.finish(answer)])
    whole = answer_markdown(answer)
    assert shown(stream) == shown(whole)
    assert from_markdown(stream) == from_markdown(whole) == text


def test_a_bare_address_is_no_link() -> None:
    """Many clients make one of it, beyond CommonMark."""
    written = answer_markdown(
        answer_with("It says: “http://evil.example” or WWW.evil.example [1]", "http://evil.example")
    )
    assert written.startswith(r"It says: “http\://evil.example” or WWW\.evil.example [1](https://")


@pytest.mark.parametrize(
    ("said_first", "notice", "expected"),
    [
        pytest.param("One [1]", None, "One [1]\n\n[1]: <https://a.example/x#:~:text=q>", id="same"),
        pytest.param("One", None, "One [1]\n\n[1]: <https://a.example/x#:~:text=q>", id="the rest"),
        pytest.param("Two [1]", None, "Two [1]\n\nOne [1](https://a.example/x#:~:text=q)", id="another"),
        pytest.param(
            "Two", "It failed.", "Two\n\nIt failed.\n\nOne [1](https://a.example/x#:~:text=q)", id="with notice"
        ),
    ],
)  # fmt: skip
def test_an_answer_that_differs_from_what_was_streamed(
    said_first: str, notice: str | None, expected: str
) -> None:
    answer = replace(answer_with("One [1]", "q"), notice=notice)
    content = LateLinks()
    assert "".join([*content.feed(said_first), *content.finish(answer)]) == expected


@pytest.mark.parametrize("text", by_id({**MULTI_SCRIPT, **HOSTILE}))
def test_inline_links_are_the_whole_content(text: str) -> None:
    answer = answer_with(f"“{text}” [1]", text)
    content = InlineLinks()
    stream = [out for piece in pieces(answer.answer) for out in content.feed(piece)]
    assert "".join([*stream, *content.finish(answer)]) == answer_markdown(answer)


def test_an_answer_that_differs_with_inline_links() -> None:
    content = InlineLinks()
    stream = [*content.feed("Two "), *content.finish(answer_with("One [1]", "q"))]
    assert "".join(stream) == "Two \n\nOne [1](https://a.example/x#:~:text=q)"


@given(st.text(alphabet="a [1]2(:\\`<\n"))
def test_plain_markers_keep_the_text(text: str) -> None:
    markers = PlainMarkers()
    assert from_markdown("".join([*map(markers.feed, text), markers.finish()])) == from_markdown_of(text)


def from_markdown_of(text: str) -> str:
    """What is left of a text on its way through Markdown and back: the end is stripped."""
    return text.rstrip()
