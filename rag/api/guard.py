"""What every request passes first: who it says it calls, where it comes from, how much it sends.

Without API keys the server listens on loopback only, and then any web page that the same person opens can still
try to reach it: by a host name that the page's owner points at 127.0.0.1 (DNS rebinding), or straight from the page's
scripts and forms. So the Host header must name this machine, and a browser's Origin must be the server's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.api import problems

MAX_BODY_BYTES = 1_000_000
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
}


class Guard:
    """ASGI middleware around the whole server.

    Args:
        app: what it guards.
        hosts: the names and addresses, without port, under which the server may be called.
        max_body: bytes of a request's body.
        max_body_at: other limits, by path.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str] = LOOPBACK_NAMES,
        max_body: int = MAX_BODY_BYTES,
        max_body_at: Mapping[str, int] | None = None,
    ) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._max_body = max_body
        self._max_body_at = dict(max_body_at or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headed = _with_headers(send)
        limit = self._max_body_at.get(scope["path"], self._max_body)
        refusal = self._refusal(Headers(scope=scope), limit)
        if refusal is not None:
            await refusal(scope, receive, headed)
            return
        await self._app(scope, self._counted(receive, limit), headed)

    def _refusal(self, headers: Headers, limit: int) -> problems.ProblemResponse | None:
        host = headers.get("host", "")
        if _name(host) not in self._hosts:
            shown = ", ".join(sorted(self._hosts))
            return problems.of_status(421, f"this server is not called {host[:100]!r}: call it as {shown}")
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != host.lower():
            return problems.of_status(
                403, f"a page of {origin[:100]!r} may not call this server: only its own pages may"
            )
        length = headers.get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            return problems.of_status(413, _too_large(limit))
        return None

    def _counted(self, receive: Receive, limit: int) -> Receive:
        """Count what a body without a stated length really brings."""
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > limit:
                raise HTTPException(413, _too_large(limit))
            return message

        return counted


def _too_large(limit: int) -> str:
    return f"the body is larger than {limit:,} bytes: send less at once"


def _with_headers(send: Send) -> Send:
    async def headed(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
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
