"""An answer as Markdown, which is how OpenAI's clients show it.

What a document holds stays text: brackets, backticks, backslashes, `<` and what begins a web address are escaped, so
that no quoted word becomes a link, an image (which a client would fetch), code or HTML. Emphasis and lists stay as they
are: at worst a word is slanted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from rag.answer import Answer, Citation
from rag.links import source_link

# Many clients make links of addresses that stand bare, too.
_SPECIAL = re.compile(r"[\\`\[\]<]|:(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_MARKER = re.compile(r"\[([0-9]+)\]")
# In the target of a link: what could end it, or would be read as a character reference.
_IN_TARGET = re.compile(r"[()]|&(?=#?\w+;)")
# The beginning of a marker or of an address, or a marker whose next character is not known yet.
_UNDECIDED = re.compile(r"\[[0-9]*$|(?:\[[0-9]+\])?:/?$|\[[0-9]+\]$|\bw{1,3}$", re.IGNORECASE)

# A marker of a stream with its empty brackets, or what is escaped, which is none.
_PLAIN = re.compile(r"\\.|\[([0-9]+)\](?:\[\])?", re.DOTALL)
# A longer number is none of ours.
_MOST_DIGITS = 6

_LINKED = re.compile(r"\[([0-9]+)\]\((?:[^()\\]|\\.)*\)|\[([0-9]+)\]\[\]")
_DEFINITION = re.compile(r"^\[[0-9]+\]: <[^<>\n]*>$\n?", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\`\[\]<:.])")


@dataclass(frozen=True, slots=True)
class Mark:
    """A marker in a content, with its link: `content[start:end]`, in code points; and what it cites."""

    start: int
    end: int
    citation: Citation


def answer_markdown(answer: Answer) -> str:
    """Return an answer's text with its markers as links to the quoted words; without a web address they stay plain."""
    return _linked_text(answer)[0]


def marks(answer: Answer, content: str) -> tuple[Mark, ...]:
    """Return the markers in a content that lead to a web address, in their order.

    `content` is `answer_markdown`, a stream that ends with it, or a stream with plain markers and their definitions.
    """
    text, found = _linked_text(answer)
    if content.endswith(text):
        before = len(content) - len(text)
        return tuple(replace(mark, start=mark.start + before, end=mark.end + before) for mark in found)
    cited = _cited(answer)
    body = content.removesuffix(definitions(answer))
    return tuple(
        Mark(match.start(), match.end(), cited[int(match[1])])
        for match in _PLAIN.finditer(body)
        if match[1] and len(match[1]) < _MOST_DIGITS and int(match[1]) in cited
    )


def _linked_text(answer: Answer) -> tuple[str, tuple[Mark, ...]]:
    """The text with links, and where they are in it."""
    cited = _cited(answer)
    written: list[str] = []
    found: list[Mark] = []
    length = 0
    for piece, marker in _pieces(answer):
        citation = cited.get(int(marker)) if marker and len(marker) < _MOST_DIGITS else None
        shown = escaped(piece) if citation is None else f"[{marker}]({target(citation)})"
        if citation is not None:
            found.append(Mark(length, length + len(shown), citation))
        written.append(shown)
        length += len(shown)
    return "".join(written), tuple(found)


def _pieces(answer: Answer) -> Iterator[tuple[str, str]]:
    """The text cut at its markers: (piece, the marker's number or "")."""
    for part, quoted in _parts(answer):
        position = 0
        for match in () if quoted else _MARKER.finditer(part):
            yield part[position : match.start()], ""
            yield match[0], match[1]
            position = match.end()
        yield part[position:], ""


def _cited(answer: Answer) -> dict[int, Citation]:
    """The citations that have a web address, by marker."""
    return {citation.marker: citation for citation in answer.citations if target(citation)}


def definitions(answer: Answer) -> str:
    """Return the link definitions that make plain markers links: one a line, "" when there is no web address."""
    return "\n".join(
        f"[{citation.marker}]: <{link}>" for citation in answer.citations if (link := target(citation))
    )


class PlainMarkers:
    """Turns a text that is still being written into Markdown whose markers wait for their definitions.

    "[1][2]" would be one link, so a marker before a bracket or a colon gets empty brackets of its own.
    """

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what can be shown now."""
        text = self._held + piece
        undecided = _UNDECIDED.search(text)
        cut = undecided.start() if undecided else len(text)
        self._held = text[cut:]
        following = self._held[:1]
        return self._written(text[:cut], following)

    def finish(self) -> str:
        """Return the rest."""
        rest, self._held = self._held, ""
        return self._written(rest, "")

    @staticmethod
    def _written(text: str, following: str) -> str:
        def marker(match: re.Match[str]) -> str:
            after = text[match.end() : match.end() + 1] or following
            return f"{match[0]}[]" if after and after in "[(:" else match[0]

        return _replaced(text, marker)


def from_markdown(text: str) -> str:
    """Return what `answer_markdown`, or a stream, was made from: the words that were said, without links."""
    text = _LINKED.sub(lambda match: f"[{match[1] or match[2]}]", _DEFINITION.sub("", text))
    return _ESCAPED.sub(r"\1", text).rstrip()


def escaped(text: str) -> str:
    """Return a text that Markdown shows without links, images, code and HTML."""
    return _SPECIAL.sub(r"\\\g<0>", text)


def target(citation: Citation) -> str | None:
    """Return the link to a citation's source as Markdown wants it."""
    link = source_link(citation)
    return None if link is None else _IN_TARGET.sub(r"\\\g<0>", link)


def _parts(answer: Answer) -> Iterator[tuple[str, bool]]:
    """The text cut at its quotes, which may hold something like a marker: (part, whether it is a quote)."""
    text, position = answer.answer, 0
    for citation in answer.citations:
        start = text.find(citation.quote, position) if citation.quote else -1
        if start >= 0:
            yield text[position:start], False
            position = start + len(citation.quote)
            yield citation.quote, True
    yield text[position:], False


def _replaced(text: str, write: Callable[[re.Match[str]], str]) -> str:
    """The text escaped, with each marker as `write` gives it."""
    written, position = [], 0
    for match in _MARKER.finditer(text):
        written += [escaped(text[position : match.start()]), write(match)]
        position = match.end()
    return "".join([*written, escaped(text[position:])])
