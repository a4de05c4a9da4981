"""Connections of the server: deadlines for what a client sends and takes, and how many there may be.

uvicorn waits without end for the rest of a head, keeps connections up to the last file descriptor, and answers what is
no HTTP in plain text. Bodies have their deadline in `rag.api.guard`, which can answer them.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from rag.api import problems

if TYPE_CHECKING:  # of the two that it may be, the one in Python alone tells its types
    from uvicorn.protocols.http.h11_impl import H11Protocol as _Http
else:
    from uvicorn.protocols.http.auto import AutoHTTPProtocol as _Http

log = logging.getLogger(__name__)

# Chosen: a browser sends a head at once, and a slow line the largest in a few seconds.
_HEAD_SECONDS = 10.0
_HEAD_BYTES = 64 * 1024
# A client that takes nothing of its answer for so long is gone. Chosen: longer than a network's usual breaks.
_TAKING_SECONDS = 60.0
# Descriptors for files, the catalogue's connections and the processes that this one starts: about 60 in use, measured.
_SPARE_DESCRIPTORS = 200
_FEWEST, _MOST = 64, 4096
_LOG_EVERY_SECONDS = 10.0


def most_connections() -> int:
    """How many connections may be open: fewer than this process may open files."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if allowed == resource.RLIM_INFINITY:
        return _MOST
    return max(_FEWEST, min(_MOST, allowed - _SPARE_DESCRIPTORS))


def bounded(*, most: int | None = None, head_seconds: float = _HEAD_SECONDS) -> Callable[..., Any]:
    """What makes a connection, for `uvicorn.Config(http=...)`; together they are at most `most`."""
    return partial(
        Connection, bound=_Bound(most_connections() if most is None else most), head_seconds=head_seconds
    )


class _Bound:
    """The connections whose next request has not come, the oldest first: one of them makes room for a new one."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting: dict[Connection, None] = {}
        self._told = float("-inf")

    def make_room(self) -> None:
        next(iter(self.waiting)).drop()
        if time.monotonic() - self._told > _LOG_EVERY_SECONDS:
            self._told = time.monotonic()
            log.warning(
                "%d connections are open, as many as may be: those that have sent no request for longest are closed",
                self.most,
            )


class Connection(_Http):
    """uvicorn's connection, with deadlines. Everything happens in the event loop's thread."""

    def __init__(self, *args: Any, bound: _Bound, head_seconds: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._bound = bound
        self._head_seconds = head_seconds
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._taking_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as the library
        """Begin to wait for a request, in the place of another connection where there is no other."""
        super().connection_made(transport)
        self._expect_head()
        if len(self.connections) > self._bound.most:
            self._bound.make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop every clock."""
        self._stop_waiting()
        self._stop_taking()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take data; a head that is not whole may neither last nor grow."""
        if not self._busy():
            self._expect_head()
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._busy():
            self._stop_waiting()
            return
        self._head_bytes += len(data)
        if self._head_bytes > _HEAD_BYTES:
            self.send_400_response(f"the head of the request is larger than {_HEAD_BYTES:,} bytes")

    def on_response_complete(self) -> None:
        """Between two requests the library's own clock runs; this connection may make room meanwhile."""
        super().on_response_complete()
        if not self._busy() and not self.transport.is_closing():
            self._bound.waiting[self] = None

    def pause_writing(self) -> None:
        """The client takes nothing: wait so long and no longer."""
        super().pause_writing()
        self._stop_taking()
        self._taking_timer = self.loop.call_later(_TAKING_SECONDS, self.drop)

    def resume_writing(self) -> None:
        """The client goes on."""
        self._stop_taking()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP with a problem, as everything else, and hang up."""
        problem = problems.of_status(400, f"{msg.rstrip('.')}: send HTTP/1.1")
        head = [
            b"HTTP/1.1 400 Bad Request",
            b"content-type: " + problems.MEDIA_TYPE.encode(),
            b"content-length: %d" % len(problem.body),
            b"x-content-type-options: nosniff",
            b"connection: close",
        ]
        self.transport.write(b"\r\n".join([*head, b"", bytes(problem.body)]))
        self.transport.close()

    def drop(self) -> None:
        """End the connection without a word."""
        self._stop_waiting()
        self.transport.abort()

    def _busy(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_head(self) -> None:
        self._bound.waiting.setdefault(self)
        if self._head_timer is None:
            self._head_bytes = 0
            self._head_timer = self.loop.call_later(self._head_seconds, self.drop)

    def _stop_waiting(self) -> None:
        self._bound.waiting.pop(self, None)
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_taking(self) -> None:
        if self._taking_timer is not None:
            self._taking_timer.cancel()
            self._taking_timer = None
