"""The documents' tab as HTML: what is indexed, a page at a time, and where files are dropped."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.catalogue import DocumentInfo, Order
from ui.answer_html import plain, spoken
from ui.document_html import document_url, source_html, time_html
from ui.names import language_name

PAGE = 50
"""Documents of a page."""

ORDERS: Mapping[Order, str] = {"newest": "documents_newest", "title": "documents_by_title"}
"""The orders that a reader may choose, with the label of each."""

# What the page's script says by itself; the names of the labels without `documents_`.
_SPOKEN = (
    "waiting", "sending", "reading", "indexed", "duplicate", "refused", "failed", "unsent", "unread", "too_large",
    "signed_out", "unreached", "forgotten", "read_only", "kept", "gone", "open", "retry", "remove", "details",
    "deleted", "confirm", "confirm_text", "cancel", "delete", "close", "loading", "progress", "document", "failed_why",
    "off", "cancelled", "cancel_upload",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentList:
    """A page of the documents, and what its reader may do.

    Attributes:
        infos: the documents of the page.
        found, total: how many the words find, how many there are.
        number: of the page, from 1.
        words, order: as asked.
        uploads: the folder whose documents can be deleted.
        may_write: whether the reader may add and delete; `off`: whether nobody can in this process.
    """

    infos: Sequence[DocumentInfo]
    found: int
    total: int
    number: int
    words: str
    order: Order
    uploads: str
    may_write: bool
    off: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request with uploads may hold; megabytes are 10^6 bytes."""

    file_mb: float
    request_mb: float
    request_files: int


def tab_html(listed: DocumentList, limits: Limits, *, labels: Mapping[str, str], language: str) -> str:
    """Return the whole tab; `labels` are the page's words in the reader's `language`."""
    spoken_words = {name: labels[f"documents_{name}"] for name in _SPOKEN}
    problems = {name: text for name, text in labels.items() if name.startswith("problem_")}
    words = json.dumps({**spoken_words, **problems, "sign_in": labels["sign_in"]}, ensure_ascii=False)
    add = _upload(limits, labels) if listed.may_write else _no_upload(listed, labels)
    return (
        f'<section class="pd-tab" data-labels="{html.escape(words)}" data-language="{plain(language)}">'
        f'<h2 class="pd-unseen">{plain(labels["tab_documents"])}</h2>{add}'
        f"{_search(listed, labels)}"
        f'<div class="pd-list">{list_html(listed, labels=labels, language=language)}</div>'
        '<p class="pd-unseen pd-status" role="status"></p></section>'
    )


def list_html(listed: DocumentList, *, labels: Mapping[str, str], language: str) -> str:
    """Return the table of a page of documents, with how many there are before it and the other pages after it."""
    if not listed.total:
        return f'<p class="pd-nothing">{plain(labels["documents_none"])}</p>'
    if not listed.found:
        return f'<p class="pd-nothing" data-count>{plain(labels["documents_not_found"])}</p>'
    return f"{_count(listed, labels)}{_table(listed, labels, language)}{_pages(listed, labels)}"


# -- adding


def _upload(limits: Limits, labels: Mapping[str, str]) -> str:
    formats = labels["documents_formats"].format(size=f"{limits.file_mb:g}")
    return (
        f'<div class="pd-add" data-file-bytes="{int(limits.file_mb * 1_000_000)}" '
        f'data-request-bytes="{int(limits.request_mb * 1_000_000)}" data-request-files="{limits.request_files}">'
        '<input class="pd-unseen" type="file" id="pd-files" multiple aria-describedby="pd-formats">'
        '<label class="pd-drop" for="pd-files"><span class="pd-drop-sign" aria-hidden="true">↑</span>'
        f"<span><strong>{plain(labels['documents_drop'])}</strong> "
        f'<span class="pd-choose">{plain(labels["documents_choose"])}</span></span></label>'
        f'<p class="pd-hint" id="pd-formats">{plain(formats)}</p>'
        f'<section class="pd-uploads" aria-label="{plain(labels["documents_uploads"])}" hidden>'
        f'<div class="pd-bar"><h3 class="pd-subheading">{plain(labels["documents_uploads"])}</h3>'
        '<span class="pd-done"></span>'
        f'<button type="button" class="pd-button pd-stop">{plain(labels["documents_cancel_all"])}</button>'
        f'<button type="button" class="pd-button pd-clear">{plain(labels["documents_clear"])}</button></div>'
        '<p class="pd-trouble" role="alert"></p><ul class="pd-files"></ul></section></div>'
    )


def _no_upload(listed: DocumentList, labels: Mapping[str, str]) -> str:
    return f'<p class="pd-hint">{plain(labels["documents_off" if listed.off else "documents_read_only"])}</p>'


# -- the list


def _search(listed: DocumentList, labels: Mapping[str, str]) -> str:
    options = "".join(
        f'<option value="{order}"{" selected" if order == listed.order else ""}>{plain(labels[label])}</option>'
        for order, label in ORDERS.items()
    )
    return (
        f'<form class="pd-search" role="search"><label class="pd-unseen" for="pd-words">'
        f"{plain(labels['documents_search'])}</label>"
        f'<input class="pd-field" id="pd-words" type="search" name="words" value="{plain(listed.words)}" '
        f'maxlength="200" placeholder="{plain(labels["documents_search"])}" autocomplete="off" spellcheck="false">'
        f'<label class="pd-unseen" for="pd-order">{plain(labels["documents_order"])}</label>'
        f'<select class="pd-field" id="pd-order" name="order">{options}</select></form>'
    )


def _count(listed: DocumentList, labels: Mapping[str, str]) -> str:
    whole = not listed.words.strip()
    said = labels["documents_count" if whole else "documents_found"]
    return f'<p class="pd-count" data-count>{plain(said.format(found=listed.found, total=listed.total))}</p>'


def _table(listed: DocumentList, labels: Mapping[str, str], language: str) -> str:
    columns = [
        ("title", "documents_title"),
        ("language", "documents_language"),
        ("origin", "documents_source"),
        ("added", "documents_added"),
        ("passages", "documents_passages"),
    ]
    heads = "".join(f'<th scope="col" class="pd-{kind}">{plain(labels[name])}</th>' for kind, name in columns)
    if listed.may_write:
        heads += f'<th scope="col" class="pd-act"><span class="pd-unseen">{plain(labels["documents_act"])}</span></th>'
    rows = "".join(_row(info, listed, labels, language) for info in listed.infos)
    return (
        f'<table class="pd-table"><caption class="pd-unseen">{plain(labels["tab_documents"])}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(info: DocumentInfo, listed: DocumentList, labels: Mapping[str, str], language: str) -> str:
    name = plain(language_name(info.language, shown_in=language))
    added, count = time_html(info.added_at), f'<data value="{info.chunks}">{info.chunks}</data>'
    title = plain(info.title) or plain(info.path)
    cells = (
        f'<th scope="row" class="pd-title"><a class="pd-open" href="{plain(document_url(info.id))}" '
        f"{spoken(info.language)}>{title}</a>"
        f'<span class="pd-brief">{name} · {added} · {plain(labels["documents_passages"])}: {count}</span></th>'
        f'<td class="pd-language">{name}</td>'
        f'<td class="pd-origin">{source_html(info.source_url, None, label=labels["open"])}</td>'
        f'<td class="pd-added">{added}</td><td class="pd-passages">{count}</td>'
    )
    if listed.may_write:
        cells += f'<td class="pd-act">{_act(info, listed, labels)}</td>'
    return f"<tr>{cells}</tr>"


def _act(info: DocumentInfo, listed: DocumentList, labels: Mapping[str, str]) -> str:
    if info.folder != listed.uploads:
        return (
            f'<span class="pd-kept" title="{plain(labels["documents_kept"])}">'
            f"{plain(labels['documents_shipped'])}</span>"
        )
    said = plain(labels["documents_delete_named"].format(title=info.title))
    return (
        f'<button type="button" class="pd-button pd-delete" data-delete="{plain(info.id)}" '
        f'data-title="{plain(info.title)}" aria-label="{said}">{plain(labels["documents_delete"])}</button>'
    )


def _pages(listed: DocumentList, labels: Mapping[str, str]) -> str:
    last = max(1, -(-listed.found // PAGE))
    if last == 1:
        return ""
    here = plain(labels["documents_page"].format(number=listed.number, last=last))
    return (
        f'<nav class="pd-pages" aria-label="{here}">{_turn(listed.number - 1, last, labels["documents_previous"])}'
        f'<span class="pd-here" aria-current="page">{here}</span>'
        f"{_turn(listed.number + 1, last, labels['documents_next'])}</nav>"
    )


def _turn(number: int, last: int, label: str) -> str:
    off = "" if 1 <= number <= last else " disabled"
    return (
        f'<button type="button" class="pd-button pd-turn" data-page="{number}"{off}>{plain(label)}</button>'
    )
