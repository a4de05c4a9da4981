"""What surrounds the API on a server that others use, from the outermost in.

Requests    request id, log line, nothing raised beyond it
Guard       Host, Origin, body size, security headers
CORS        pages of other sites that the settings name
Access      API keys and sessions
RateLimit   requests of one caller in a time
Capacity    questions at once
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from index.corpus import Corpus
from rag.api import guard
from rag.api.access import Access
from rag.api.limits import Capacity, Load, RateLimit
from rag.api.logs import ID_HEADER, Requests
from rag.api.metrics import Metrics
from rag.keys import KeyStore, is_loopback
from rag.settings import RagSettings

_METHODS = ("GET", "POST", "DELETE")
_REQUEST_HEADERS = (
    "Authorization",
    "X-API-Key",
    "Content-Type",
    ID_HEADER,
    # of the Model Context Protocol
    "MCP-Protocol-Version",
    "Mcp-Method",
    "Mcp-Name",
)
_SHOWN_HEADERS = (ID_HEADER, "Retry-After", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def install(
    app: FastAPI,
    corpus: Corpus,
    settings: RagSettings,
    *,
    keys: KeyStore | None = None,
    max_body_at: Mapping[str, int] | None = None,
) -> Metrics:
    """Put all of it around an application, and leave `app.state.metrics` and `app.state.load`.

    Args:
        app: the API.
        corpus: whose size the metrics measure.
        settings: names, limits and rates.
        keys: the API keys; None: those of the data directory.
        max_body_at: bytes of a request's body, at paths that may take more than the others.
    """
    index = settings.index
    store = keys or KeyStore(
        index.data_dir, shared_dir=index.shared_dir, required=not is_loopback(settings.host)
    )
    metrics = Metrics(corpus, log_questions=settings.log_questions)
    load = Load(settings.max_waiting)
    metrics.measure("waiting_questions", "Questions in progress or waiting.", lambda: load.waiting)
    app.state.metrics, app.state.load = metrics, load
    # Each is put around those before it.
    app.add_middleware(Capacity, load=load, rejected=metrics.rejected)
    app.add_middleware(RateLimit, rate=settings.rate_limit, rejected=metrics.rejected)
    app.add_middleware(Access, store=store)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=_METHODS,
            allow_headers=_REQUEST_HEADERS,
            expose_headers=_SHOWN_HEADERS,
        )
    app.add_middleware(
        guard.Guard,
        hosts={*guard.LOOPBACK_NAMES, settings.host, *settings.public_hosts},
        any_host=lambda: not settings.public_hosts and store.in_force(),
        origins=settings.cors_origins,
        max_body_at=max_body_at,
    )
    app.add_middleware(Requests, seen=metrics.request)
    return metrics
