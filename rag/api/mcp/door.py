"""The tools over HTTP: `/mcp` of the served application, behind everything that the API is behind.

Each request stands for itself: no session is kept, so any process of several answers it, and nothing is open between
two. The library is imported at the first request: most servers never have one.
"""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, suppress
from threading import Event
from typing import TYPE_CHECKING, Any

import anyio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from rag.api import logs, paths, problems
from rag.api.declared import declares
from rag.api.document_schemas import DocumentsOut, FullDocumentOut
from rag.api.documents import Shelf
from rag.api.limits import Places
from rag.api.mcp.tools import Desk
from rag.asking import Answering, Wrapped

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

LEFT = "mcp_left"
"""In the state of a request: the event that is set when its client leaves."""


class Served(Wrapped, Desk):
    """What the server answers with: its answering and its documents, and a place for each question."""

    def __init__(self, inner: Answering, shelf: Shelf, places: Places) -> None:
        super().__init__(inner)
        self._shelf = shelf
        self._places = places

    def page(self, *, limit: int, offset: int, language: str | None, query: str | None) -> DocumentsOut:
        """See `Desk.page`."""
        return self._shelf.page(limit=limit, offset=offset, language=language, query=query)

    def document(self, document_id: str) -> FullDocumentOut | None:
        """See `Desk.document`."""
        return self._shelf.document(document_id)

    def place(self) -> AbstractContextManager[None]:
        """See `Desk.place`."""
        return self._places.taken()


def add_mcp(app: FastAPI, desk: Desk) -> None:
    """Add the path at which the protocol is spoken."""
    app.router.routes.append(Route(paths.MCP, _Door(desk), include_in_schema=False))


@declares("read")
class _Door:
    """Answers a request of the protocol. Not a function: those get some methods only.

    Not each message is a question: the tools that ask one take a place for it themselves.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._server: Server[Any] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        logs.note(route=paths.MCP)
        if scope["method"] != "POST":
            refusal = problems.of_status(
                405, "this speaks MCP: POST its messages here, see docs/mcp.md", headers={"Allow": "POST"}
            )
            await refusal(scope, receive, send)
            return
        # Before the library begins its tasks: what is wrong with the body is a problem of this server.
        body = await Request(scope, receive).body()
        left = Event()
        scope.setdefault("state", {})[LEFT] = left
        watching = asyncio.create_task(_watch(receive, left))
        try:
            await self._answer(scope, _Body(body), send)
        finally:
            left.set()
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._server is None:
            self._server = await anyio.to_thread.run_sync(self._made)
        # A second of imports, done above.
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        # One each: it holds the tasks of its requests, and they end with it. Host and Origin are checked by the guard.
        manager = StreamableHTTPSessionManager(self._server, stateless=True, json_response=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    def _made(self) -> Server[Any]:
        # A second of imports: at the first request, and in a thread of its own.
        from rag.api.mcp.server import make_server

        return make_server(self._desk)


async def _watch(receive: Receive, left: Event) -> None:
    """Set `left` when the client leaves; its body has been read."""
    while (await receive())["type"] != "http.disconnect":
        pass
    left.set()


class _Body:
    """A body that was read, and then nothing more."""

    def __init__(self, body: bytes) -> None:
        self._body: bytes | None = body

    async def __call__(self) -> Message:
        if self._body is None:
            await asyncio.Event().wait()
        body, self._body = self._body, None
        return {"type": "http.request", "body": body, "more_body": False}
