"""Doors of the page's framework that nothing here needs: closed, whatever a release of it opens behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from rag.api import problems
from rag.api.declared import declares

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import Receive, Scope, Send

_PREFIX = "/gradio_api/"
# Files of the machine and of other machines, recordings, a second API beside /v1, editing and profiling of the page.
_CLOSED = (
    "upload",
    "process_recording",
    "deep_link",
    "dev/",
    "call/v2",
    "file",
    "proxy",
    "stream",
    "custom_component",
    "run-history",
    "runs",
    "vibe-",
    "undo-vibe-edit",
    "profiling",
    "openapi.json",
)


def close(app: FastAPI) -> None:
    """Close them in an application, before the page itself is mounted."""
    for door in _CLOSED:
        app.router.routes.append(Route(f"{_PREFIX}{door}{{rest:path}}", _Closed(), include_in_schema=False))


@declares("read")
class _Closed:
    """A problem for whatever method. Not a function: those get some methods only."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = problems.of_status(404, "this is closed: POST /v1/documents takes documents, see /docs")
        await refusal(scope, receive, send)
