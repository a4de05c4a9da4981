"""The sources of an answer as HTML: for each its title, language, quote in its passage, and where it leads."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from babel.dates import format_date

from index.types import UNDETERMINED
from rag.answer import Answer, Citation
from rag.links import safe_url, source_link
from rag.notices import notices_in
from rag.places import place_words
from ui.answer_html import Viewer, anchor, lines, plain, spoken
from ui.document_html import document_url
from ui.names import language_name

InPassage = tuple[str, str, str]
"""The words before a quote in its passage, the quote, the words after it."""

_URL_SHOWN = 60
# What fits into the URL of a translator's page.
_TRANSLATED = 1500


def sources_html(answer: Answer, passage: Callable[[Citation], InPassage], viewer: Viewer) -> str:
    """Return the panel of an answer's sources, or of a refusal's nearest passages; "" where there are none.

    Args:
        answer: an answer or a refusal.
        passage: finds the passage of a citation.
        viewer: for whom.
    """
    if not answer.citations:
        return ""
    heading = notices_in(viewer.language)["nearest" if answer.refused else "sources"].rstrip(":")
    cards = "".join(_card(citation, passage(citation), answer, viewer) for citation in answer.citations)
    return (
        f'<section class="pc-sources"><h4 class="pc-heading" {spoken(viewer.language)}>{plain(heading)}</h4>'
        f'<ol class="pc-cards">{cards}</ol></section>'
    )


def reference(citation: Citation, viewer: Viewer) -> str:
    """Return a citation as one copies it into a text: title, address, quote, the day it was read."""
    day = format_date(viewer.day, "long", locale=viewer.language)
    parts = [
        citation.title.strip().rstrip("."),
        place_words(citation, viewer.language),
        citation.source_url or "",
        f"“{' '.join(citation.quote.split())}”",
        viewer.labels["chat_retrieved"].format(date=day),
    ]
    return ". ".join(part for part in parts if part) + "."


def translation_link(citation: Citation, viewer: Viewer) -> str | None:
    """Return the link that shows a quote in a translator; None when there is no need or no translator."""
    if viewer.translator is None or citation.language == viewer.language:
        return None
    source = "auto" if citation.language == UNDETERMINED else citation.language
    # One pass: what a quote holds is not filled in again.
    fields = {"text": citation.quote[:_TRANSLATED], "source": source, "target": viewer.language}
    filled = re.sub(
        r"\{(text|source|target)\}", lambda match: quote(fields[match[1]], safe=""), viewer.translator
    )
    return safe_url(filled)


def _card(citation: Citation, passage: InPassage, answer: Answer, viewer: Viewer) -> str:
    before, quoted, after = passage
    attributes = spoken(citation.language)
    name = plain(language_name(citation.language, shown_in=viewer.language))
    return (
        f'<li class="pc-source" id="{anchor(answer, citation.marker)}" tabindex="-1">'
        f'<h5 class="pc-title"><span class="pc-number">{citation.marker}</span> '
        f"<span {attributes}>{plain(citation.title)}</span></h5>"
        f'<p class="pc-meta"><span class="pc-language">{name}</span>{_where(citation, viewer)}'
        f"{_versions(citation, viewer)}</p>"
        f"{_own_version(citation, viewer)}"
        f'<blockquote class="pc-passage" {attributes}>'
        f"{lines(before)}<mark>{lines(quoted)}</mark>{lines(after)}</blockquote>"
        f"{_address(citation, viewer)}{_actions(citation, viewer)}</li>"
    )


def _own_version(citation: Citation, viewer: Viewer) -> str:
    """What the document's version in the reader's language says, before the quote itself."""
    gloss = citation.gloss
    if gloss is None:
        return ""
    language = language_name(gloss.language, shown_in=viewer.language)
    label = viewer.labels["chat_own_version"].format(language=language)
    place = document_url(gloss.document_id, start=gloss.start, end=gloss.end)
    return (
        f'<div class="pc-version"><p class="pc-meta"><a href="{plain(place)}">{plain(label)}</a></p>'
        f"<blockquote {spoken(gloss.language)}>{lines(gloss.text)}</blockquote></div>"
    )


def _where(citation: Citation, viewer: Viewer) -> str:
    place = place_words(citation, viewer.language)
    return f' <span class="pc-place"><bdi>{plain(place)}</bdi></span>' if place else ""


def _versions(citation: Citation, viewer: Viewer) -> str:
    first: dict[str, str] = {}
    for other in citation.parallel:
        first.setdefault(other.language, other.document_id)
    links = ", ".join(
        f'<a href="{plain(document_url(document))}">'
        f"{plain(language_name(code, shown_in=viewer.language))}</a>"
        for code, document in first.items()
    )
    if not links:
        return ""
    before, _, after = viewer.labels["chat_versions"].partition("{languages}")
    return f' <span class="pc-also">{lines(before)}{links}{lines(after)}</span>'


def _address(citation: Citation, viewer: Viewer) -> str:
    page = safe_url(citation.source_url)
    if page is None:
        # What is no link is still shown: the viewer may know what to do with it.
        return f'<p class="pc-url" dir="ltr">{plain(citation.source_url)}</p>' if citation.source_url else ""
    shown = re.sub(r"^https?://(www\.)?", "", str(citation.source_url), flags=re.IGNORECASE)
    if len(shown) > _URL_SHOWN:
        shown = shown[: _URL_SHOWN - 1] + "…"
    return (
        f'<p class="pc-url" dir="ltr"><a class="pc-page" href="{plain(page)}" {_APART} '
        f'title="{plain(viewer.labels["chat_source_page"])}">{plain(shown)}</a></p>'
    )


_APART = 'target="_blank" rel="noopener noreferrer nofollow"'


def _actions(citation: Citation, viewer: Viewer) -> str:
    labels = viewer.labels
    document = document_url(citation.document_id, start=citation.start, end=citation.end)
    words = source_link(citation)
    to_words = ""
    if words is not None:
        to_words = (
            f'<a class="pc-words" href="{plain(words)}" {_APART}>{plain(labels["chat_quoted_words"])} ↗</a>'
        )
    translated = translation_link(citation, viewer)
    translate = ""
    if translated is not None:
        why = labels["chat_translate_why"].format(site=urlsplit(translated).hostname)
        translate = (
            f'<a class="pc-translate" href="{plain(translated)}" {_APART} title="{plain(why)}">'
            f"{plain(labels['chat_translate'])} ↗</a>"
        )
    return (
        f'<p class="pc-actions">{to_words}<a class="pc-open" href="{plain(document)}">'
        f"{plain(labels['chat_open_document'])}</a>{translate}"
        f'<button type="button" class="pc-copy" data-copy="{plain(reference(citation, viewer))}">'
        f"{plain(labels['chat_copy_reference'])}</button></p>"
    )
