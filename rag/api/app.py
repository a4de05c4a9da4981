"""The HTTP API over one assistant (see the contract in the OpenAPI document it serves)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import FastAPI, Path, Query, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from index.errors import PolyciteError
from rag.answer import Answer, Token
from rag.api import access, feedback, manual, openai, operation, problems
from rag.api.events import event, failure
from rag.api.metrics import Metrics
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
from rag.api.streaming import Answers, Asked
from rag.assistant import Assistant
from rag.keys import KeyStore
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


def create_app(assistant: Assistant, settings: RagSettings, *, keys: KeyStore | None = None) -> FastAPI:
    """Make the API over an open assistant; `keys` None: the API keys of the data directory.

    Without API keys requests must name this machine in their Host header: 127.0.0.1, localhost, ::1, `settings.host`
    or one of `settings.public_hosts`. The caller closes the assistant after the server has stopped.
    """
    app = FastAPI(title=_TITLE, version=VERSION, description=_DESCRIPTION, docs_url=None, redoc_url=None)
    problems.install(app)
    metrics = operation.install(app, assistant, settings, keys=keys)
    assistant = metrics.watched(assistant)
    answers = Answers(assistant, answered=feedback.add_feedback(app, settings))
    _add_answers(app, assistant, answers)
    openai.add_openai(app, answers, settings)
    _add_documents(app, assistant)
    _add_health(app, assistant, metrics)
    _add_manual(app)
    return app


def _add_answers(app: FastAPI, assistant: Assistant, answers: Answers) -> None:
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
    async def ask(request: Request, body: AskRequest) -> Any:
        """Answer from the documents, with citations, or refuse with the nearest passages.

        A refusal is a normal answer (status 200) with `refused` true. With `stream` the answer comes as
        server-sent events; errors that are known before the first event have their usual status.
        """
        asked = Asked(
            question=body.question,
            history=tuple(turn.turn() for turn in body.history),
            languages=None if body.languages is None else tuple(body.languages),
            documents=None if body.documents is None else tuple(body.documents),
            engine=body.engine,
        )
        if body.stream:
            items = await answers.stream(request, asked)
            return StreamingResponse(_events(items), media_type="text/event-stream", headers=_FRESH)
        return (await answers.answer(request, asked)).to_dict()

    @app.post(
        "/v1/search",
        tags=["answers"],
        summary="Search passages",
        responses=problems.responses(400, 413, 422, 500, 503),
    )
    async def search(request: SearchRequest) -> SearchOut:
        """Return the passages nearest to a query, in any language, the best first."""
        hits = await answers.in_thread(
            lambda: assistant.search(
                request.query,
                top_k=request.top_k,
                languages=request.languages,
                documents=request.documents,
            )
        )
        return SearchOut(query=request.query, hits=[HitOut(**hit.to_dict()) for hit in hits])


async def _events(items: AsyncIterator[Token | Answer]) -> AsyncIterator[str]:
    """The events of a stream; a failure that comes after its beginning is the last one."""
    try:
        async for item in items:
            yield event(item)
    except Exception as error:  # noqa: BLE001 - told to the client and written to the log
        yield failure(error)


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


def _add_health(app: FastAPI, assistant: Assistant, metrics: Metrics) -> None:
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
        """Answer 200 when the index can be read and the model is loaded; 503 otherwise, and while the server stops."""
        if app.state.load.stopping:
            raise HTTPException(503, "the server is being stopped")
        try:
            counts = assistant.corpus.counts()
        except PolyciteError as error:
            # Whatever it is, it is the state of this server and no failure of this request.
            raise HTTPException(503, f"the index cannot be read: {error}") from error
        return Ready(
            documents=counts["documents"],
            chunks=counts["chunks"],
            sentences=counts["sentences"],
            model=assistant.embedder.name,
        )

    @app.get(
        "/metrics",
        tags=["operation"],
        summary="Numbers for Prometheus",
        response_class=Response,
        responses={
            200: {"description": "The numbers", "content": {"text/plain": {"schema": {"type": "string"}}}}
        },
    )
    def numbers(request: Request) -> Response:
        """Return counts and times since the server started, and the size of the index, as Prometheus reads them."""
        content, media_type = metrics.text(request.headers.get("accept", ""))
        return Response(content, headers={"Content-Type": media_type})


def _add_manual(app: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            template = "#/components/schemas/{model}"
            problem = problems.Problem.model_json_schema(ref_template=template)
            schema["components"]["schemas"].update(problem.pop("$defs", {}), Problem=problem)
            access.describe(schema)
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
