"""`rag serve`: the API and the chat page in one process that owns the data directory."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from index.errors import IndexMissing, UsageError, WorkError
from index.ownership import Ownership, own
from index.upkeep import mend_vectors, was_indexed
from rag.settings import RagSettings

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from rag.assistant import Assistant

PURPOSE = "rag serve"
# How long a stop waits for answers that are being written.
_GRACE_SECONDS = 10
_BACKLOG = 256

log = logging.getLogger(__name__)


def serve(
    settings: RagSettings,
    *,
    index_first: Callable[[], None] | None = None,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; requests that run then may finish.

    Args:
        settings: where to listen (`host`, `port`; port 0: any free one) and where the data lies.
        index_first: makes the index when nothing is indexed yet; called while this process owns the directory.
        ready: called once with the address, such as "http://127.0.0.1:8000", when requests are answered.

    Raises:
        UsageError: the address is not one of this machine alone, or another program listens on the port.
        IndexBusy: another process owns the data directory.
        IndexMissing: nothing is indexed and there is no `index_first`.
        WorkError: the index or the model cannot be opened, or the server cannot start.
    """
    require_loopback(settings.host)
    # Before anything slow: a busy port or directory is reported at once.
    with own(settings.index.data_dir, purpose=PURPOSE) as ownership, closing(_listen(settings)) as listener:
        if not was_indexed(settings.index):
            if index_first is None:
                raise IndexMissing(f"nothing is indexed in {settings.index.data_dir}: run `rag index`")
            index_first()
        mend_vectors(settings.index, purpose=None)
        # Seconds of imports: torch comes with the one, gradio with the other.
        from rag.assistant import Assistant

        with Assistant.open(settings) as assistant:
            _run(build_app(assistant, settings), listener, settings, ownership, ready)


def build_app(assistant: Assistant, settings: RagSettings) -> FastAPI:
    """Return the API with the chat page at `/`."""
    from rag.api import create_app
    from ui.chat import mount_chat

    return mount_chat(create_app(assistant, settings), assistant)


def require_loopback(host: str) -> None:
    """Refuse an address that other machines can reach.

    Raises:
        UsageError: it is one.
    """
    try:
        own_machine = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        own_machine = False
    if not own_machine:
        raise UsageError(
            f"RAG_HOST={host}: without API keys the server listens on this machine only; "
            "set RAG_HOST to 127.0.0.1, and reach it from elsewhere through a proxy that asks who is there"
        )


def _listen(settings: RagSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A server that was stopped a moment ago does not block the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"port {settings.port} on {settings.host} is taken by another program: "
                "set RAG_PORT to a free one, or to 0 for any"
            ) from error
        raise WorkError(
            f"the server cannot listen on {settings.host}, port {settings.port} ({error.strerror or error}): "
            "set RAG_HOST and RAG_PORT to an address it may use"
        ) from error
    return listener


def _address(listener: socket.socket, host: str) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listener.getsockname()[1]}"


def _run(
    app: FastAPI,
    listener: socket.socket,
    settings: RagSettings,
    ownership: Ownership,
    ready: Callable[[str], None] | None,
) -> None:
    import uvicorn

    address = _address(listener, settings.host)

    class Server(uvicorn.Server):
        """Says where it is once it answers."""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ownership.announce(address)
                log.info("listening at %s", address)
                if ready is not None:
                    ready(address)

    server = Server(_config(app))
    server.run(sockets=[listener])
    if not server.started:
        raise WorkError(f"the server at {address} did not start: its log says why")


def _config(app: FastAPI) -> uvicorn.Config:
    import uvicorn

    return uvicorn.Config(
        app,
        log_config=None,  # logging belongs to the program, not to this library
        access_log=False,  # a request's path may hold what a user looked for
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
