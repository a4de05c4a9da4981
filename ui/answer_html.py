"""An answer as HTML for the page: its text, how far it is borne out, and its sources.

Documents are data: whatever a text, title or URL holds is shown as text. Links go to http and https only. Every ASCII
punctuation mark of foreign text becomes a character reference: what is left has no meaning in HTML nor in Markdown.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from babel.numbers import format_decimal

from index.language.gloss import day_in
from rag.answer import Answer, Citation
from rag.dated import of_iso
from rag.short_answer import place_of
from ui.labels import labels_in
from ui.names import direction

_REFERENCES = {ord(mark): f"&#{ord(mark)};" for mark in string.punctuation}
# What no text needs and a browser or an encoder may choke on; line breaks and tabs stay.
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_MARKER = re.compile(r"\[(\d+)\]")
_ITEM = "- "
_LEAD = re.compile(r"^[\s—–:,.-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """For whom an answer is shown.

    Attributes:
        language: of the page.
        translator: the template of the link that translates a quote; None: no link.
        day: when the answer was given, for references.
        partly: whether only some documents or languages were searched.
    """

    language: str
    translator: str | None = None
    day: date
    partly: bool = False

    @property
    def labels(self) -> Mapping[str, str]:
        """The page's words in the viewer's language."""
        return labels_in(self.language)


def said_html(answer: Answer, viewer: Viewer) -> str:
    """Return what an answer says, with markers that lead to its sources, and how far they bear it out."""
    text = answer.answer
    short = ""
    if answer.short_answer and answer.confidence == "answered":
        short = f'<p class="pc-short">{plain(answer.short_answer)}</p>'
        if text.startswith(answer.short_answer):
            text = text.removeprefix(answer.short_answer).removeprefix(f" ({answer.short_gloss})")
            text = _LEAD.sub("", text)
        if answer.short_gloss:
            short += f'<p class="pc-gloss" {spoken(answer.language)}>{plain(answer.short_gloss)}</p>'
    paragraphs = "".join(
        _paragraph(part, answer, viewer) for part in re.split(r"\n{2,}", text) if part.strip()
    )
    notice = f'<p class="pc-notice" role="note">{plain(answer.notice)}</p>' if answer.notice else ""
    verdict = _refusal(answer, viewer) if answer.refused else ""
    checked = "" if answer.refused or not answer.citations else _checked(answer, viewer)
    unsure = " pc-unsure" if answer.confidence == "perhaps" else ""
    return (
        f'<div class="pc-answer{unsure}">{_understood(answer, viewer)}{verdict}'
        f"<div {spoken(answer.language)}>{short}{paragraphs}{_which(answer, viewer)}{notice}</div>{checked}</div>"
    )


def anchor(answer: Answer, marker: object) -> str:
    """Return the id of a source in the page."""
    return f"pc-{plain(answer.id[:12])}-{plain(str(marker))}"


def plain(text: str) -> str:
    """Return a text that HTML and Markdown both show as it is, on one line."""
    return " ".join(_CONTROLS.sub("", text).split()).translate(_REFERENCES)


def lines(text: str) -> str:
    """Return a text as `plain` does, with its line breaks and the spaces at the ends of its lines."""
    return "<br>".join(_spaced(line) for line in text.split("\n"))


def spoken(code: str) -> str:
    """Return the attributes that say in which language and direction an element is."""
    return f'lang="{plain(code)}" dir="{direction(code)}"'


# -- the text


def _paragraph(text: str, answer: Answer, viewer: Viewer) -> str:
    """The lines of a paragraph; those that begin with a dash are a list."""
    kept: list[tuple[bool, list[str]]] = []
    for line in text.split("\n"):
        listed = line.startswith(_ITEM)
        if not kept or kept[-1][0] != listed:
            kept.append((listed, []))
        kept[-1][1].append("".join(_marked(line.removeprefix(_ITEM), answer, viewer)))
    return "".join(
        f'<ul class="pc-list">{"".join(f"<li>{line}</li>" for line in found)}</ul>'
        if listed
        else f"<p>{'<br>'.join(found)}</p>"
        for listed, found in kept
    )


def _which(answer: Answer, viewer: Viewer) -> str:
    """A button for each document that answers otherwise: it asks the question of that one alone."""
    if not answer.alternatives:
        return ""
    buttons = "".join(
        f'<button type="button" class="pc-which" data-ask="{plain(answer.question)}" '
        f'data-document="{plain(each.citations[0].document_id)}">{plain(_titled(each, viewer))}</button>'
        for each in answer.alternatives
        if each.citations
    )
    return f'<p class="pc-alternatives">{plain(viewer.labels["chat_which"])} {buttons}</p>'


def _titled(alternative: Answer, viewer: Viewer) -> str:
    """The title of an alternative's document, with its date where the document tells it."""
    title = alternative.citations[0].title
    if alternative.date is not None:
        with suppress(ValueError):  # of a conversation that the browser kept
            title = f"{title} · {day_in(viewer.language, of_iso(alternative.date))}"
    return title


def _quoted(citation: Citation, short: str | None) -> str:
    """A quote, with the words of the short answer marked in it."""
    place = place_of(short, citation.quote, citation.language) if short else None
    if place is None:
        return lines(citation.quote)
    before, said, after = (
        citation.quote[: place[0]],
        citation.quote[slice(*place)],
        citation.quote[place[1] :],
    )
    return f'{lines(before)}<mark class="pc-said">{lines(said)}</mark>{lines(after)}'


def _marked(text: str, answer: Answer, viewer: Viewer) -> Iterator[str]:
    """The text with quotes in their own language and with markers that lead to their source."""
    found = [(text.find(citation.quote), citation) for citation in answer.citations if citation.quote in text]
    position = 0
    for start, citation in sorted(found, key=lambda each: each[0]):
        if start < position:
            continue  # inside another quote
        yield _with_markers(text[position:start], answer, viewer)
        yield f"<q {spoken(citation.language)}>{_quoted(citation, answer.short_answer)}</q>"
        position = start + len(citation.quote)
    yield _with_markers(text[position:], answer, viewer)


def _with_markers(text: str, answer: Answer, viewer: Viewer) -> str:
    known = {str(citation.marker) for citation in answer.citations}
    pieces = []
    position = 0
    for match in _MARKER.finditer(text):
        if match[1] in known:
            pieces.append(_spaced(text[position : match.start()]))
            named = plain(viewer.labels["chat_source_number"].format(number=match[1]))
            pieces.append(
                f'<a class="pc-marker" href="#{anchor(answer, match[1])}" aria-label="{named}">'
                f"{plain(match[0])}</a>"
            )
            position = match.end()
    pieces.append(_spaced(text[position:]))
    return "".join(pieces)


def _spaced(text: str) -> str:
    """As `plain`, but the spaces at both ends, which part it from its neighbours, stay."""
    if not text.strip():
        return " " if text else ""
    return f"{' ' if text[0].isspace() else ''}{plain(text)}{' ' if text[-1].isspace() else ''}"


# -- how far it is borne out


def _understood(answer: Answer, viewer: Viewer) -> str:
    """The question as it was completed from the conversation, where it was."""
    if " ".join(answer.standalone_question.split()) == " ".join(answer.question.split()):
        return ""
    return _note(
        "pc-understood", viewer.labels["chat_understood"].format(question=answer.standalone_question)
    )


def _refusal(answer: Answer, viewer: Viewer) -> str:
    labels = viewer.labels
    verdict = f'<p class="pc-verdict" {spoken(viewer.language)}>{plain(labels["chat_none_found"])}</p>'
    # For the other reasons the refusal says itself why.
    why = [labels["chat_why_unanswered"]] if answer.refusal_reason == "unanswered" else []
    why += [labels["chat_why_scope"]] if viewer.partly else []
    return verdict + (_note("pc-why", " ".join(why)) if why else "")


def _checked(answer: Answer, viewer: Viewer) -> str:
    labels = viewer.labels
    if answer.grounding == "verified":
        kind, words = "verified", labels["chat_supported" if answer.engine == "llm" else "chat_verified"]
    else:
        kind, words = "partial", labels["chat_partial"]
    by = (
        labels["chat_written_by"].format(model=answer.model)
        if answer.engine == "llm" and answer.model
        else labels["chat_quoted_only"]
    )
    seconds = format_decimal(answer.timings_ms.total / 1000, "0.0", locale=viewer.language)
    took = labels["chat_seconds"].format(seconds=seconds)
    return (
        f'<p class="pc-checked pc-is-{kind}" {spoken(viewer.language)}>'
        f'<span class="pc-grounding">{plain(words)}</span> '
        f'<span class="pc-how">{plain(by)} · {plain(took)}</span></p>'
    )


def _note(kind: str, text: str) -> str:
    return f'<p class="{kind}" dir="auto">{plain(text)}</p>'
