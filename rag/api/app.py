"""The HTTP API over one assistant (see the contract in the OpenAPI document it serves)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, StreamingResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

from index.errors import PolyciteError
from index.intake import Intake
from rag.answer import Answer, Token
from rag.api import access, documents, feedback, manual, openai, operation, problems, uploads
from rag.api.declared import Needs, declares
from rag.api.events import event, failure
from rag.api.limits import Places
from rag.api.mcp.door import Served, add_mcp
from rag.api.metrics import Metrics
from rag.api.schemas import (
    STREAM_EXAMPLE,
    Alive,
    AnswerOut,
    AskRequest,
    HitOut,
    Ready,
    SearchOut,
    SearchRequest,
)
from rag.api.streaming import Answers
from rag.asking import Watched
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
_TAGS = [
    {"name": "answers", "description": "Questions, searches and ratings."},
    {
        "name": "OpenAI's format",
        "description": "The same assistant for clients that speak OpenAI's wire format.",
    },
    {"name": "documents", "description": "What the answers come from."},
    {"name": "operation", "description": "For those who run the server."},
]
_FRESH = {"Cache-Control": "no-store"}


def create_app(
    assistant: Assistant,
    settings: RagSettings,
    *,
    keys: KeyStore | None = None,
    intake: Intake | None = None,
) -> FastAPI:
    """Make the API over an open assistant.

    `keys` None: the API keys of the data directory. `intake` None: no documents are taken and none deleted.

    Without API keys requests must name this machine in their Host header: 127.0.0.1, localhost, ::1, `settings.host`
    or one of `settings.public_hosts`. The caller closes the assistant after the server has stopped.
    """
    app = FastAPI(title=_TITLE, version=VERSION, description=_DESCRIPTION, docs_url=None, redoc_url=None)
    problems.install(app)
    larger = {uploads.PATH: uploads.most_bytes(settings)}
    metrics = operation.install(app, assistant.corpus, settings, keys=keys, max_body_at=larger)
    if intake is not None:
        metrics.measure("waiting_uploads", "Uploaded files that wait to be indexed.", intake.waiting)
    metrics.count_drafts(assistant.drafts)
    remember = feedback.add_feedback(app, settings)
    answering = Watched(Watched(assistant, metrics.answer), remember)
    answers = Answers(answering)
    _add_answers(app, answers)
    openai.add_openai(app, answers, settings)
    uploads.add_uploads(app, intake, settings)
    shelf = documents.Shelf(assistant.corpus, settings)
    documents.add_documents(app, shelf)
    add_mcp(app, Served(answering, shelf, Places(app.state.load, metrics.rejected)))
    _add_health(app, assistant, metrics)
    _add_manual(app)
    return app


def _add_answers(app: FastAPI, answers: Answers) -> None:
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
    @declares("read", question=True)
    async def ask(request: Request, body: AskRequest) -> Any:
        """Answer from the documents, with citations, or refuse with the nearest passages.

        A refusal is a normal answer (status 200) with `refused` true. With `stream` the answer comes as
        server-sent events; errors that are known before the first event have their usual status.
        """
        asked = body.ask(request.headers)
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
    @declares("read", question=True)
    async def search(request: Request, body: SearchRequest) -> SearchOut:
        """Return the passages nearest to a query, in any language, the best first."""
        found = await answers.search(body.ask(request.headers), top_k=body.top_k)
        return SearchOut(query=body.query, hits=[HitOut(**asdict(hit)) for hit in found])


async def _events(items: AsyncIterator[Token | Answer]) -> AsyncIterator[str]:
    """The events of a stream; a failure that comes after its beginning is the last one."""
    try:
        async for item in items:
            yield event(item)
    except Exception as error:  # noqa: BLE001 - told to the client and written to the log
        yield failure(error)


def _add_health(app: FastAPI, assistant: Assistant, metrics: Metrics) -> None:
    @app.get("/healthz", tags=["operation"], summary="Is the process alive?")
    @declares("nothing")
    async def healthz() -> Alive:
        """Answer as long as the process does."""
        return Alive()

    @app.get(
        "/readyz",
        tags=["operation"],
        summary="Can it answer questions?",
        responses=problems.responses(503),
    )
    @declares("read")
    def readyz() -> Ready:
        """Answer 200 when the index can be read and the model is loaded; 503 otherwise, and while the server stops."""
        if app.state.load.stopping:
            raise HTTPException(503, "the server is being stopped")
        try:
            counts = assistant.corpus.check()
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
    @declares("read")
    def numbers(request: Request) -> Response:
        """Return counts and times since the server started, and the size of the index, as Prometheus reads them."""
        content, media_type = metrics.text(request.headers.get("accept", ""))
        return Response(content, headers={"Content-Type": media_type})


def _add_manual(app: FastAPI) -> None:
    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
                tags=_TAGS,
            )
            template = "#/components/schemas/{model}"
            problem = problems.Problem.model_json_schema(ref_template=template)
            schema["components"]["schemas"].update(problem.pop("$defs", {}), Problem=problem)
            access.describe(schema, app.routes)
            app.openapi_schema = schema
        return app.openapi_schema

    for route in app.routes:  # the one that FastAPI adds by itself, for the document below
        if getattr(route, "path", None) == app.openapi_url:
            declares("read")(route.endpoint)  # type: ignore[attr-defined]

    app.openapi = openapi  # type: ignore[method-assign] # the way FastAPI documents to extend it

    @app.get("/docs", include_in_schema=False)
    @declares("read")
    def docs() -> HTMLResponse:
        return HTMLResponse(manual.page(app.openapi()))

    # Last: what no operation answers is a problem too, also when a page is mounted at "/".
    for path in ("/v1/{rest:path}", "/healthz", "/readyz", "/metrics"):
        needs: Needs = "write" if path.startswith("/v1/") else "read"
        answers = declares("nothing" if path == "/healthz" else needs)(_Unanswered(app))
        app.router.routes.append(Route(path, answers, include_in_schema=False))


class _Unanswered:
    """Says what is wrong with a request that no operation answers. Not a function: those get some methods only."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        allowed = _methods(self._app, request)
        if allowed:
            response = problems.of_status(
                405,
                f"{request.method} is not possible here: use {' or '.join(allowed)}",
                headers={"Allow": ", ".join(allowed)},
            )
        else:
            response = problems.of_status(404, f"there is nothing at {request.url.path}: see /docs")
        await response(scope, receive, send)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """The methods of operations at this path, none of which is the request's own. Where one has the path itself,
    those that would take its end for an id do not count."""
    found: dict[str, set[str]] = {}
    for route in app.router.routes:
        if route.matches(request.scope)[0] is Match.PARTIAL:
            path = getattr(route, "path", "")
            found.setdefault(path, set()).update(getattr(route, "methods", None) or set())
    exact = found.get(request.scope["path"])
    return sorted(exact if exact is not None else set().union(*found.values()))
