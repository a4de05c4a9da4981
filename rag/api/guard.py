"""What every request passes first: who it says it calls, where it comes from, how much it sends.

Without API keys the server listens on loopback only, and then any web page that the same person opens can still
try to reach it: by a host name that the page's owner points at 127.0.0.1 (DNS rebinding), or straight from the page's
scripts and forms. So the Host header must name this machine, and a browser's Origin must be the server's own.

With API keys any Host will do unless the settings name some: a page that comes in under another name has no key, and
the cookie of a signed-in browser belongs to the name under which it was given. The Origin still counts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.api import paths, problems
from rag.keys import Key
from rag.keys import Scope as KeyScope

MAX_BODY_BYTES = 1_000_000
# A body has so long, and for what came of it so much more. Chosen: the slowest of mobile networks bring 20 kB a second.
BODY_SECONDS = 30.0
_SLOWEST_BYTES_A_SECOND = 20_000
# What is there already is taken, however late this server comes to it.
_GLANCE_SECONDS = 0.1
LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")

# The chat page's framework writes scripts and styles into the page, hence the two 'unsafe-inline'; nothing comes from
# or goes to another machine, whatever an answer or a document holds.
_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": _POLICY,
    # What is served here is for this server's own pages, and for those that CORS lets in.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Answers and documents are for who asked, not for a cache on the way.
_PRIVATE_PATHS = (*paths.API, "/readyz", "/metrics")
# Where the caller's key is kept in a request's state; absent where no keys are in force.
_KEY_STATE = "key"


class Guard:
    """ASGI middleware around the whole server.

    Args:
        app: what it guards.
        hosts: the names and addresses, without port, under which the server may be called.
        any_host: whether any other name will do, asked at each request.
        origins: of other sites whose pages may call, such as "https://intranet.example".
        max_body: bytes of a request's body.
        max_body_at: other limits, by path.
        body_seconds: how long a body may take, beside what its size accounts for.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str] = LOOPBACK_NAMES,
        any_host: Callable[[], bool] = lambda: False,
        origins: Collection[str] = (),
        max_body: int = MAX_BODY_BYTES,
        max_body_at: Mapping[str, int] | None = None,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._app = app
        self._body_seconds = body_seconds
        self._hosts = frozenset(host.lower() for host in hosts)
        self._any_host = any_host
        self._origins = frozenset(origin.lower() for origin in origins)
        self._max_body = max_body
        self._max_body_at = dict(max_body_at or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] == "websocket":  # nothing here speaks it, and what follows does not look at it
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headed = _with_headers(send, private=scope["path"].startswith(_PRIVATE_PATHS))
        limit = self._max_body_at.get(scope["path"], self._max_body)
        refusal = self._refusal(Headers(scope=scope), limit)
        if refusal is not None:
            await refusal(scope, receive, headed)
            return
        await self._app(scope, self._counted(receive, limit), headed)

    def _refusal(self, headers: Headers, limit: int) -> problems.ProblemResponse | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts and not self._any_host():
            shown = ", ".join(sorted(self._hosts))
            return problems.of_status(421, f"this server is not called {host[:100]!r}: call it as {shown}")
        origin = headers.get("origin")
        if origin is not None and not is_own(origin, host) and origin.lower() not in self._origins:
            return problems.of_status(
                403, f"a page of {origin[:100]!r} may not call this server: only its own pages may"
            )
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            return problems.of_status(413, _too_large(limit))
        return None

    def _counted(self, receive: Receive, limit: int) -> Receive:
        """Count what a body without a stated length really brings, and how long it takes."""
        seen, whole = 0, False
        began = time.monotonic()

        async def counted() -> Message:
            nonlocal seen, whole
            if whole:  # from here on what comes is that the client leaves
                return await receive()
            until = began + self._body_seconds + seen / _SLOWEST_BYTES_A_SECOND
            try:
                async with asyncio.timeout(max(_GLANCE_SECONDS, until - time.monotonic())):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, _TOO_SLOW) from None
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, _too_large(limit))
            whole = not message.get("more_body", False)
            return message

        return counted


_TOO_SLOW = "the body came too slowly: send it again over a faster line, or in smaller parts"


def _too_large(limit: int) -> str:
    return f"the body is larger than {limit:,} bytes: send less at once"


def scope_of(request: Request) -> KeyScope:
    """What a request may do: "read", or "write" where its key says so or no keys are in force."""
    key = key_of(request)
    return "write" if key is None else key.scope


def key_of(request: Request) -> Key | None:
    """The key that a request came with, or its session's; None where no keys are in force."""
    key = request.scope.get("state", {}).get(_KEY_STATE)
    return key if isinstance(key, Key) else None


def remember_key(scope: Scope, key: Key) -> None:
    """Leave the caller's key for `scope_of`."""
    scope.setdefault("state", {})[_KEY_STATE] = key


def is_own(origin: str, host: str) -> bool:
    """Whether an Origin is that of the server's own pages, as called by a Host header."""
    return _netloc(origin) == host.lower()


def _with_headers(send: Send, *, private: bool) -> Send:
    async def headed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if private:
                headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return headed


def _name(host: str) -> str | None:
    """The host of a Host header in lower case, without port and brackets; None when there is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _netloc(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
