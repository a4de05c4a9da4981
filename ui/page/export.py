"""A conversation as Markdown, with its citations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING

from babel.dates import format_date

from rag.answer import Answer, Citation
from rag.api.markdown import answer_markdown, escaped
from rag.links import safe_url
from rag.notices import notices_in
from rag.places import place_words
from ui.labels import labels_in
from ui.names import language_name

if TYPE_CHECKING:
    from collections.abc import Mapping


def conversation_markdown(
    title: str, exchanges: Sequence[tuple[str, Answer | None]], *, language: str, day: date
) -> str:
    """Return a conversation for keeping: each question, its answer, and the words it rests on.

    Args:
        title: of the conversation.
        exchanges: questions with their answers; None: there was none.
        language: of the words around them.
        day: of the export.
    """
    labels = labels_in(language)
    exported = labels["chat_export_date"].format(date=format_date(day, "long", locale=language))
    parts = [f"# {_line(title)}", exported]
    for question, answer in exchanges:
        parts += [f"## {_line(question)}", *_answered(answer, labels, language)]
    return "\n\n".join(parts) + "\n"


def _answered(answer: Answer | None, labels: Mapping[str, str], language: str) -> Iterator[str]:
    if answer is None:
        yield f"*{labels['chat_stopped']}*"
        return
    if answer.refused:
        yield f"**{labels['chat_none_found']}**"
    yield answer_markdown(answer)
    if answer.notice:
        yield f"*{_line(answer.notice)}*"
    if answer.citations:
        heading = notices_in(language)["nearest" if answer.refused else "sources"].rstrip(":")
        yield f"### {heading}"
        yield "\n\n".join(_source(citation, language) for citation in answer.citations)


def _source(citation: Citation, language: str) -> str:
    url = safe_url(citation.source_url)
    place = place_words(citation, language)
    where = (f", {_line(place)}" if place else "") + (f" <{url}>" if url else "")
    quoted = "\n".join(f"   > {_line(line)}" for line in citation.quote.splitlines() if line.strip())
    name = language_name(citation.language, shown_in=language)
    return f"{citation.marker}. **{_line(citation.title)}** ({name}){where}\n\n{quoted}"


def _line(text: str) -> str:
    """A text on one line that Markdown shows as it is."""
    text = escaped(" ".join(text.split())).replace("*", r"\*").replace("_", r"\_")
    # What would begin a heading, a list or a quote at the start of a line.
    return f"\\{text}" if text[:1] in ("#", ">", "+", "-", "~", "=", "|") else text
