"""The HTTP API over one assistant (see the contract in the OpenAPI document it serves)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from threading import Event
from typing import Annotated, Any, TypeVar

import anyio
from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.routing import Match

from rag.answer import Answer, Token, answer_of
from rag.api import guard, manual, problems
from rag.api.events import event
from rag.api.schemas import (
    STREAM_EXAMPLE,
    Alive,
    AnswerOut,
    AskRequest,
    ChunkOut,
    DocumentOut,
    DocumentsOut,
    FullDocumentOut,
    HitOut,
    ParallelOut,
    Ready,
    SearchOut,
    SearchRequest,
)
from rag.assistant import Assistant
from rag.settings import RagSettings

# Of the API, not of the program: it changes when a client must.
VERSION = "1"
_TITLE = "polycite"
_DESCRIPTION = (
    "Answers questions from the indexed documents, in any language, with the words each answer rests on. Offsets "
    "count Unicode code points of a document's text, as `GET /v1/documents/{id}` returns it."
)
_MAX_PAGE = 500
_FRESH = {"Cache-Control": "no-store"}

# Requests that are answered at once, each in a thread; most of them wait, for their turn or for a model server.
_THREADS = 64

T = TypeVar("T")


def create_app(assistant: Assistant, settings: RagSettings) -> FastAPI:
    """Make the API over an open assistant.

    Requests must name this machine in their Host header: 127.0.0.1, localhost, ::1 or `settings.host`. The caller
    closes the assistant after the server has stopped.
    """
    app = FastAPI(title=_TITLE, version=VERSION, description=_DESCRIPTION, docs_url=None, redoc_url=None)
    problems.install(app)
    app.add_middleware(guard.Guard, hosts={*guard.LOOPBACK_NAMES, settings.host})
    _add_answers(app, assistant)
    _add_documents(app, assistant)
    _add_health(app, assistant)
    _add_manual(app)
    return app


def _add_answers(app: FastAPI, assistant: Assistant) -> None:
    limiter = anyio.CapacityLimiter(_THREADS)

    async def in_thread(work: Callable[[], T]) -> T:
        """Run work off the event loop; who no longer waits for it leaves it behind."""
        return await anyio.to_thread.run_sync(work, limiter=limiter, abandon_on_cancel=True)

    @app.post(
        "/v1/ask",
        tags=["answers"],
        summary="Ask a question",
        response_model=AnswerOut,
        responses={
            200: {"description": "The answer or a refusal", "content": STREAM_EXAMPLE},
            **problems.responses(400, 413, 422, 500, 503),
        },
    )
    async def ask(request: AskRequest) -> Any:
        """Answer from the documents, with citations, or refuse with the nearest passages.

        A refusal is a normal answer (status 200) with `refused` true. With `stream` the answer comes as
        server-sent events; errors that are known before the first event have their usual status.
        """
        stop = Event()
        items = assistant.stream(
            request.question,
            history=[turn.turn() for turn in request.history],
            languages=request.languages,
            documents=request.documents,
            engine=request.engine,
            stop=stop,
        )
        try:
            first = await in_thread(lambda: next(items))
            if request.stream:
                return StreamingResponse(
                    streamed(first, items, stop), media_type="text/event-stream", headers=_FRESH
                )
            return await in_thread(lambda: answer_of([first, *items]).to_dict())
        except asyncio.CancelledError:
            stop.set()
            raise

    async def streamed(
        first: Token | Answer, items: Iterator[Token | Answer], stop: Event
    ) -> AsyncIterator[str]:
        """The events of a stream; where the client leaves, its work ends."""
        try:
            yield event(first)
            while (item := await in_thread(lambda: next(items, None))) is not None:
                yield event(item)
        finally:
            stop.set()

    @app.post(
        "/v1/search",
        tags=["answers"],
        summary="Search passages",
        responses=problems.responses(400, 413, 422, 500, 503),
    )
    async def search(request: SearchRequest) -> SearchOut:
        """Return the passages nearest to a query, in any language, the best first."""
        hits = await in_thread(
            lambda: assistant.search(
                request.query,
                top_k=request.top_k,
                languages=request.languages,
                documents=request.documents,
            )
        )
        return SearchOut(query=request.query, hits=[HitOut(**hit.to_dict()) for hit in hits])


def _add_documents(app: FastAPI, assistant: Assistant) -> None:
    corpus = assistant.corpus

    @app.get(
        "/v1/documents",
        tags=["documents"],
        summary="List the documents",
        responses=problems.responses(422, 503),
    )
    def documents(
        limit: Annotated[int, Query(ge=1, le=_MAX_PAGE, description="At most so many.")] = 50,
        offset: Annotated[int, Query(ge=0, le=2**53, description="Leave out so many first.")] = 0,
        language: Annotated[
            str | None,
            Query(max_length=35, description="Only documents in this language (ISO 639-1).", examples=["bn"]),
        ] = None,
    ) -> DocumentsOut:
        """Return a page of the indexed documents, by folder and file name, without their texts."""
        if language is None:
            total, page = corpus.counts()["documents"], corpus.documents(limit=limit, offset=offset)
        else:
            infos = corpus.document_infos(corpus.document_ids(languages=[language])).values()
            ordered = sorted(infos, key=lambda info: (info.folder, info.path))
            total, page = len(ordered), ordered[offset : offset + limit]
        shown = [DocumentOut.model_validate(info) for info in page]
        return DocumentsOut(documents=shown, total=total, limit=limit, offset=offset)

    @app.get(
        "/v1/documents/{document_id}",
        tags=["documents"],
        summary="Read a document",
        response_model=FullDocumentOut,
        responses=problems.responses(404, 422, 503),
    )
    def document(
        document_id: Annotated[str, Path(max_length=64, description="The document's id.")],
    ) -> Any:
        """Return a document with its full text and where its passages lie in it."""
        found = corpus.document(document_id)
        info = corpus.document_infos([document_id]).get(document_id)
        if found is None or info is None:
            return problems.of_status(
                404,
                f"there is no document {document_id!r}: GET /v1/documents lists them",
                name="document-unknown",
            )
        return FullDocumentOut(
            **DocumentOut.model_validate(info).model_dump(),
            text=found.text,
            chunk_offsets=[ChunkOut.model_validate(chunk) for chunk in corpus.chunks_of(document_id)],
            parallel=[
                ParallelOut(document_id=other, language=language)
                for other, language in corpus.parallel(document_id)
            ],
        )


def _add_health(app: FastAPI, assistant: Assistant) -> None:
    @app.get("/healthz", tags=["operation"], summary="Is the process alive?")
    async def healthz() -> Alive:
        """Answer as long as the process does."""
        return Alive()

    @app.get(
        "/readyz",
        tags=["operation"],
        summary="Can it answer questions?",
        responses=problems.responses(503),
    )
    def readyz() -> Ready:
        """Answer 200 when the index is open and the model is loaded, 503 otherwise."""
        counts = assistant.corpus.counts()
        return Ready(
            documents=counts["documents"],
            chunks=counts["chunks"],
            sentences=counts["sentences"],
            model=assistant.embedder.name,
        )


def _add_manual(app: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            template = "#/components/schemas/{model}"
            problem = problems.Problem.model_json_schema(ref_template=template)
            schema["components"]["schemas"].update(problem.pop("$defs", {}), Problem=problem)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign] # the way FastAPI documents to extend it

    @app.get("/docs", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(manual.page(app.openapi()))

    # Last under /v1: what no operation answers is a problem too, also when a page is mounted at "/".
    @app.api_route(
        "/v1/{rest:path}",
        methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        include_in_schema=False,
    )
    async def unknown(request: Request) -> Response:
        allowed = _methods(app, request)
        if allowed:
            return problems.of_status(
                405,
                f"{request.method} is not possible here: use {' or '.join(allowed)}",
                headers={"Allow": ", ".join(allowed)},
            )
        return problems.of_status(404, f"there is nothing at {request.url.path}: see /docs")


def _methods(app: FastAPI, request: Request) -> list[str]:
    """The methods of operations at this path, none of which is the request's own."""
    found: set[str] = set()
    for route in app.router.routes:
        if route.matches(request.scope)[0] is Match.PARTIAL:
            found |= getattr(route, "methods", None) or set()
    return sorted(found)
