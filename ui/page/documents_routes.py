"""What the documents' tab asks of the server: the list, a document, how far uploads are.

Changes go through `/v1/documents` like everybody's, with its limits and its scope. Gradio's own upload takes nothing:
it would fill the disk for anybody who may read.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Annotated

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from index.catalogue import WAITING, DocumentInfo, JobFile, Order
from index.corpus import Corpus
from index.language.lexicon import FALLBACK
from index.uploads import CANCELLED, upload_folder
from rag.api import problems
from rag.api.declared import declares
from rag.api.guard import scope_of
from rag.api.page_language import reader_language
from ui.document_html import DocumentView, document_html, part_html
from ui.labels import labels_in
from ui.page.documents_html import PAGE, DocumentList, Limits, list_html, tab_html
from ui.page.title_order import title_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ui.page.parts import Tools

PREFIX = "/chat/documents"
UPLOADS = "/chat/uploads"

# Jobs that a page may ask for at once; those that are done are not asked for.
_MOST_JOBS = 100
_FRESH = {"Cache-Control": "no-store"}
_LAST = 2**53
_ALL = 10**9
_ORDERS_KEPT = 4

_Id = Annotated[str, Path(max_length=64)]
_Words = Annotated[str, Query(max_length=200)]
_Page = Annotated[int, Query(ge=1, le=1_000_000)]
_Jobs = Annotated[list[str], Query(max_length=_MOST_JOBS)]
_Offset = Annotated[int | None, Query(ge=0, le=_LAST)]


def add(app: FastAPI, tools: Tools) -> None:
    """Add the routes to an application, before the page itself is mounted."""
    _add_list(app, tools)
    _add_document(app, tools)
    _add_jobs(app, tools)


def _add_list(app: FastAPI, tools: Tools) -> None:
    settings, titles = tools.settings, _ByTitle(tools.corpus)
    limits = Limits(
        file_mb=settings.index.max_file_mb,
        request_mb=settings.max_upload_mb,
        request_files=settings.max_upload_files,
    )

    @app.get(PREFIX, include_in_schema=False)
    @declares("read")
    def tab(request: Request, words: _Words = "", order: Order = "newest", page: _Page = 1) -> Response:
        language = reader_language(request.headers)
        listed = _listed(tools, titles, request, words=words, order=order, number=page, language=language)
        return _html(tab_html(listed, limits, labels=labels_in(language), language=language))

    @app.get(f"{PREFIX}/list", include_in_schema=False)
    @declares("read")
    def table(request: Request, words: _Words = "", order: Order = "newest", page: _Page = 1) -> Response:
        language = reader_language(request.headers)
        listed = _listed(tools, titles, request, words=words, order=order, number=page, language=language)
        return _html(list_html(listed, labels=labels_in(language), language=language))


def _listed(
    tools: Tools, titles: _ByTitle, request: Request, *, words: str, order: Order, number: int, language: str
) -> DocumentList:
    reader = tools.corpus.reader()

    def turned(to: int) -> tuple[int, list[DocumentInfo]]:
        if order == "title":
            return titles.page(language, words=words, offset=(to - 1) * PAGE)
        return reader.page(limit=PAGE, offset=(to - 1) * PAGE, words=words, order=order)

    found, infos = turned(number)
    if found and not infos:  # what stood on the last page was deleted
        number = -(-found // PAGE)
        found, infos = turned(number)
    return DocumentList(
        infos=infos,
        found=found,
        total=reader.counts()["documents"],
        number=number,
        words=words,
        order=order,
        uploads=_uploads(tools),
        may_write=_may_change(tools, request),
        off=tools.intake is None,
    )


class _ByTitle:
    """Lists in the order of a reader's language, which the catalogue does not know.

    The latest few are kept: putting 10,000 titles in order takes 0.2 s, and a reader turns pages.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._kept: OrderedDict[tuple[int, str, str], list[DocumentInfo]] = OrderedDict()
        self._lock = Lock()

    def page(self, language: str, *, words: str, offset: int) -> tuple[int, list[DocumentInfo]]:
        """As `CatalogueReader.page`."""
        key = (self._corpus.revision(), language, words)
        with self._lock:  # who comes second waits for what the first puts in order
            infos = self._kept.get(key)
            if infos is None:
                _, infos = self._corpus.reader().page(limit=_ALL, words=words)
                infos.sort(key=lambda info: title_key(info.title or info.path, language))
                self._kept[key] = infos
                if len(self._kept) > _ORDERS_KEPT:
                    self._kept.popitem(last=False)
        return len(infos), infos[offset : offset + PAGE]


def _add_document(app: FastAPI, tools: Tools) -> None:
    def view(request: Request, document_id: str, quoted: tuple[int, int] | None) -> DocumentView | None:
        corpus = tools.corpus
        document = corpus.document(document_id)
        info = corpus.document_infos([document_id]).get(document_id)
        if document is None or info is None:
            return None
        mine = info.folder == _uploads(tools)
        may_change = _may_change(tools, request)
        inside = quoted is not None and quoted[0] < quoted[1] <= len(document.text)
        return DocumentView(
            document=document,
            info=info,
            chunks=corpus.chunks_of(document_id),
            parallel=corpus.parallel(document_id),
            quoted=quoted if inside else None,
            kept=may_change and not mine,
            deletable=may_change and mine,
        )

    @app.get(f"{PREFIX}/{{document_id}}", include_in_schema=False)
    @declares("read")
    def document(request: Request, document_id: _Id, start: _Offset = None, end: _Offset = None) -> Response:
        language = reader_language(request.headers)
        quoted = None if start is None or end is None else (start, end)
        found = view(request, document_id, quoted)
        if found is None:
            return _gone()
        return _html(document_html(found, labels=labels_in(language), language=language))

    @app.get(f"{PREFIX}/{{document_id}}/text", include_in_schema=False)
    @declares("read")
    def text(request: Request, document_id: _Id, part: Annotated[int, Query(ge=0, le=_LAST)] = 0) -> Response:
        found = view(request, document_id, None)
        labels = labels_in(reader_language(request.headers))
        return _gone() if found is None else _html(part_html(found, part, labels=labels))


def _gone() -> Response:
    return problems.of_status(404, "this document is not there any more", name="document-unknown")


def _add_jobs(app: FastAPI, tools: Tools) -> None:
    @app.get(UPLOADS, include_in_schema=False)
    @declares("read")
    def uploads(request: Request, jobs: _Jobs) -> Response:
        """How far the files of some uploads are, by the upload's id; one that is not known is left out."""
        if tools.intake is None:
            return JSONResponse({}, headers=_FRESH)
        language = reader_language(request.headers)
        found = [job for key in jobs if (job := tools.intake.job(key)) is not None]
        states = {job.id: [_state(file, language) for file in job.files] for job in found}
        return JSONResponse(states, headers=_FRESH)


def _state(file: JobFile, language: str) -> dict[str, str | None]:
    """A file as the page shows it: its state, the document, why it did not become one, and more in English."""
    if file.reason == CANCELLED:
        return {"state": CANCELLED, "document": None, "said": "", "detail": ""}
    said, detail = _said(file, labels_in(language))
    if language == FALLBACK and file.detail and file.state in ("refused", "failed"):
        said, detail = _sentence(file.detail), ""
    return {"state": file.state, "document": file.document_id, "said": said, "detail": detail}


def _said(file: JobFile, labels: Mapping[str, str]) -> tuple[str, str]:
    if file.state == "refused" and f"documents_reason_{file.reason}" in labels:
        return labels[f"documents_reason_{file.reason}"], file.detail
    if file.state in ("refused", "failed"):
        return labels["documents_failed_why"], file.detail
    if file.state in WAITING and file.detail:
        return labels["documents_tried_again"], file.detail
    return "", ""


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _uploads(tools: Tools) -> str:
    return str(upload_folder(tools.settings.index))


def _may_change(tools: Tools, request: Request) -> bool:
    return tools.intake is not None and scope_of(request) == "write"


def _html(content: str) -> Response:
    return HTMLResponse(content, headers=_FRESH)
