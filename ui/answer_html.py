"""An answer and its sources as HTML for the chat page.

Documents are data: whatever a text, title or URL holds is shown as text. Links go to http and https only. The HTML is
handed to a component that reads Markdown first, so every ASCII punctuation mark of foreign text becomes a character
reference: what is left has no meaning in HTML nor in Markdown.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator

from index.lexicon import Lexicon, lexicon
from rag.answer import Answer, Citation
from rag.links import source_link
from ui.names import direction, language_name

Passage = tuple[str, str, str]
"""The words before a quote in its passage, the quote, the words after it."""

_REFERENCES = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation}
# What no text needs and a browser or an encoder may choke on; line breaks and tabs stay.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MARKER = re.compile(r"\[(\d+)\]")
_LEAD = re.compile(r"^[\s—–:,.-]+")

_URL_SHOWN = 46


def answer_html(answer: Answer, passage: Callable[[Citation], Passage]) -> str:
    """Return a whole answer: its text, and beside it the sources with each quote marked in its passage.

    Args:
        answer: an answer or a refusal.
        passage: finds the passage of a citation.
    """
    table = lexicon(answer.language)
    cards = "".join(_source(citation, passage(citation), answer, table) for citation in answer.citations)
    heading = table.notices["nearest" if answer.refused else "sources"].rstrip(":")
    sources = (
        f'<div class="pc-sources"><div class="pc-heading">{plain(heading)}</div>{cards}</div>'
        if cards
        else ""
    )
    kind = "pc-turn pc-refused" if answer.refused else "pc-turn"
    return f'<div class="{kind}">{_said(answer)}{sources}</div>'


def partial_html(text: str, language: str) -> str:
    """Return the beginning of an answer that is still being written."""
    body = "<br>".join(plain(line) for line in text.split("\n"))
    return f'<div class="pc-turn"><div class="pc-answer" {_language(language)}><p>{body}</p></div></div>'


def note_html(text: str) -> str:
    """Return a message of the page itself, such as an error."""
    return f'<div class="pc-turn pc-note"><p>{plain(text)}</p></div>'


def question_html(text: str) -> str:
    """Return what the user asked, as typed."""
    return (
        f'<div class="pc-question" dir="auto">{"<br>".join(plain(line) for line in text.splitlines())}</div>'
    )


def plain(text: str) -> str:
    """Return a text that HTML and Markdown both show as it is, on one line."""
    return " ".join(_CONTROLS.sub("", text).split()).translate(_REFERENCES)


# -- the text


def _said(answer: Answer) -> str:
    text = answer.answer
    short = ""
    if answer.short_answer and not answer.refused:
        short = f'<div class="pc-short">{plain(answer.short_answer)}</div>'
        if text.startswith(answer.short_answer):
            text = _LEAD.sub("", text.removeprefix(answer.short_answer))
    paragraphs = "".join(
        f"<p>{''.join(_marked(part, answer))}</p>" for part in re.split(r"\n{2,}", text) if part.strip()
    )
    notice = f'<p class="pc-notice" role="note">{plain(answer.notice)}</p>' if answer.notice else ""
    return f'<div class="pc-answer" {_language(answer.language)}>{short}{paragraphs}{notice}</div>'


def _marked(text: str, answer: Answer) -> Iterator[str]:
    """The text with quotes in their own language and with markers that lead to their source."""
    found = [(text.find(citation.quote), citation) for citation in answer.citations if citation.quote in text]
    position = 0
    for start, citation in sorted(found, key=lambda each: each[0]):
        if start < position:
            continue  # inside another quote
        yield _with_markers(text[position:start], answer)
        yield f"<span {_language(citation.language)}>{_lines(citation.quote)}</span>"
        position = start + len(citation.quote)
    yield _with_markers(text[position:], answer)


def _with_markers(text: str, answer: Answer) -> str:
    known = {str(citation.marker) for citation in answer.citations}
    pieces = []
    position = 0
    for match in _MARKER.finditer(text):
        if match[1] in known:
            pieces.append(_spaced(text[position : match.start()]))
            anchor = _anchor(answer, match[1])
            pieces.append(f'<a class="pc-marker" href="#{anchor}">{plain(match[0])}</a>')
            position = match.end()
    pieces.append(_spaced(text[position:]))
    return "".join(pieces)


def _spaced(text: str) -> str:
    """As `plain`, but the spaces at both ends, which part it from its neighbours, stay."""
    if not text.strip():
        return " " if text else ""
    return f"{' ' if text[0].isspace() else ''}{plain(text)}{' ' if text[-1].isspace() else ''}"


# -- the sources


def _source(citation: Citation, passage: Passage, answer: Answer, table: Lexicon) -> str:
    before, quoted, after = passage
    attributes = _language(citation.language)
    name = plain(language_name(citation.language, shown_in=answer.language))
    return (
        f'<div class="pc-source" id="{_anchor(answer, str(citation.marker))}">'
        f'<div class="pc-title"><span class="pc-number">{citation.marker}</span> '
        f"<span {attributes}>{plain(citation.title)}</span></div>"
        f'<div class="pc-meta"><span class="pc-language">{name}</span>{_also(citation, answer, table)}</div>'
        f'<blockquote class="pc-passage" {attributes}>'
        f"{_lines(before)}<mark>{_lines(quoted)}</mark>{_lines(after)}</blockquote>"
        f"{_link(citation, table)}</div>"
    )


def _also(citation: Citation, answer: Answer, table: Lexicon) -> str:
    codes = dict.fromkeys(other.language for other in citation.parallel)
    names = ", ".join(language_name(code, shown_in=answer.language) for code in codes)
    return (
        f' <span class="pc-also">{plain(table.labels["also"].format(languages=names))}</span>'
        if names
        else ""
    )


def _link(citation: Citation, table: Lexicon) -> str:
    target = source_link(citation)
    if target is None:
        # What is no link is still shown: the reader may know what to do with it.
        return f'<div class="pc-url">{plain(citation.source_url)}</div>' if citation.source_url else ""
    shown = re.sub(r"^https?://(www\.)?", "", str(citation.source_url), flags=re.IGNORECASE)
    if len(shown) > _URL_SHOWN:
        shown = shown[: _URL_SHOWN - 1] + "…"
    return (
        f'<div class="pc-url"><a href="{plain(target)}" target="_blank" rel="noopener noreferrer nofollow">'
        f"{plain(table.labels['open'])} ↗</a> <span>{plain(shown)}</span></div>"
    )


def _lines(text: str) -> str:
    return "<br>".join(_spaced(line) for line in text.split("\n"))


def _anchor(answer: Answer, marker: str) -> str:
    return f"pc-{answer.id[:12]}-{marker}"


def _language(code: str) -> str:
    return f'lang="{plain(code)}" dir="{direction(code)}"'
