"""`rag serve`: the API and the chat page in one process that owns the data directory."""

from __future__ import annotations

import errno
import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

import uvicorn

from index.errors import IndexBusy, IndexMissing, UsageError, WorkError
from index.ownership import own
from index.upkeep import mend_vectors, was_indexed
from index.uploads import takes_uploads
from rag.keys import KeyStore, is_loopback
from rag.settings import RagSettings
from ui.connections import bounded

if TYPE_CHECKING:
    from types import FrameType

    from fastapi import FastAPI

    from index.intake import Intake
    from rag.assistant import Assistant

PURPOSE = "rag serve"
# How long a stop waits for answers that are being written; the rest of a stop takes 3 s at most, and the whole 10.
_GRACE_SECONDS = 7
_BACKLOG = 256
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)

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
        UsageError: without API keys, the address is not one of this machine alone; or another program listens on the
            port.
        IndexBusy: another process owns the data directory.
        IndexMissing: nothing is indexed and there is no `index_first`.
        WorkError: the index or the model cannot be opened, or the server cannot start.
    """
    keys = keys_for(settings)
    # Before anything slow: a busy port or directory is reported at once.
    with own(settings.index.data_dir, purpose=PURPOSE) as ownership, closing(_listen(settings)) as listener:
        _index_first(settings, index_first)
        mend_vectors(settings.index, purpose=None)
        address = _address(listener, settings.host)

        def listening() -> None:
            # What was made at the start stays: the collector need not look through it again, neither while questions
            # are answered nor at the end (0.2 seconds instead of 1.6 to leave).
            gc.freeze()
            ownership.announce(address)
            log.info("listening at %s", address)
            if ready is not None:
                ready(address)

        if not _run(settings, keys, listener, listening):
            raise WorkError(f"the server at {address} did not start: its log says why")


def _index_first(settings: RagSettings, index_first: Callable[[], None] | None) -> None:
    """Make the index where there is none; of processes that begin together on a shared catalogue, one does."""
    while not was_indexed(settings.index):
        if index_first is None:
            raise IndexMissing(f"nothing is indexed in {settings.index.data_dir}: run `rag index`")
        try:
            index_first()
            return
        except IndexBusy as error:
            if settings.index.database_url is None:
                raise
            log.info("waiting for the first index: %s", error)


def _run(
    settings: RagSettings, keys: KeyStore, listener: socket.socket, listening: Callable[[], None]
) -> bool:
    """Serve until a signal; whether it ever answered."""
    # Seconds of imports: torch comes with the one, gradio with the other.
    from index.intake import Intake
    from rag.api.logs import server_logging
    from rag.assistant import Assistant
    from ui.page import close_streams

    with (
        server_logging(settings),
        keys.command_key(),
        Assistant.open(settings) as assistant,
        Intake(settings.index, assistant.embedder)
        if takes_uploads(settings.index)
        else nullcontext() as intake,
    ):
        app = build_app(assistant, settings, keys=keys, intake=intake)
        server = _Server(
            app,
            listening=listening,
            signalled=intake.stop if intake is not None else lambda: None,
            stopping=lambda: close_streams(app),
        )
        server.run(sockets=[listener])
        return server.started


def build_app(
    assistant: Assistant,
    settings: RagSettings,
    *,
    keys: KeyStore | None = None,
    intake: Intake | None = None,
) -> FastAPI:
    """Return the API with the staff page at `/`; see `create_app`."""
    # fastapi and gradio take seconds: after what can fail at once.
    from rag.api import create_app
    from ui.page import mount

    app = create_app(assistant, settings, keys=keys, intake=intake)
    return mount(app, assistant.corpus, settings, intake=intake)


def keys_for(settings: RagSettings) -> KeyStore:
    """Return the API keys of a server that listens where the settings say.

    Raises:
        UsageError: other machines can reach the address, and there is no key.
        WorkError: the keys cannot be read.
    """
    reachable = not is_loopback(settings.host)
    index = settings.index
    keys = KeyStore(index.data_dir, shared_dir=index.shared_dir, required=reachable)
    if reachable and not keys.known():
        raise UsageError(
            f"RAG_HOST={settings.host}: without API keys the server listens on this machine only; make one with "
            "`rag keys add NAME`, or set RAG_HOST to 127.0.0.1"
        )
    return keys


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
    # Where it listens everywhere, this machine's own commands reach it at home.
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not listened on
    shown = f"[{reached}]" if ":" in reached else reached
    return f"http://{shown}:{listener.getsockname()[1]}"


class _Server(uvicorn.Server):
    """Says when it answers, and ends without killing its process: what it was lent is given back in order."""

    def __init__(
        self,
        app: FastAPI,
        *,
        listening: Callable[[], None],
        signalled: Callable[[], None],
        stopping: Callable[[], None],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=bounded(),  # type: ignore[arg-type] # whatever makes a protocol will do
                ws="none",  # nothing here speaks it
                log_config=None,  # logging belongs to the program, not to this library
                access_log=False,  # a request's path may hold what a user looked for
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_GRACE_SECONDS,
            )
        )
        self._app = app
        self._listening = listening
        self._signalled = signalled
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take nothing new from the moment of the signal on; the library looks at it a little later."""
        self._app.state.load.stop()
        self._signalled()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As the library's own, but a signal that was obeyed is not raised again afterwards."""
        if threading.current_thread() is not threading.main_thread():
            yield  # only the main thread may listen to signals
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _STOP_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
