"""Who may call: API keys in a header, or a browser's session."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from index.errors import WorkError
from rag.api import guard, login, logs, paths, problems
from rag.api.declared import SILENT, declared_at, declared_for
from rag.api.limits import CALLER_STATE
from rag.keys import Key, KeyStore

_MANUAL = (
    " Where the server has API keys, every request but `GET /healthz` needs one: `Authorization: Bearer KEY`, or "
    "`X-API-Key: KEY`."
)
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
}


class Access:
    """ASGI middleware: with keys in force, lets in who has one that suffices, and keeps it for `guard.scope_of`."""

    def __init__(self, app: ASGIApp, *, store: KeyStore) -> None:
        self._app = app
        self._store = store
        self._sessions = login.Sessions()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "http":
            request = Request(scope, receive)
            try:
                response = await self._answered(request)
            except WorkError as error:  # closed, rather than open, while the keys cannot be read
                logs.log.error("%s", error)
                response = problems.of_status(503, "the API keys cannot be read: the log says why")
            if response is not None:
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answered(self, request: Request) -> Response | None:
        """What a request is answered without reaching the application; None when it may go on."""
        path = request.scope["path"]  # as routes see it: a URL's own parser drops tabs and line ends
        signing = path in (login.LOGIN_PATH, login.LOGOUT_PATH)
        if not self._store.in_force():
            return login.away() if signing else None
        token = login.token_of(request.headers)
        session = None if token is None else self._sessions.key(token, self._store)
        if signing:
            logs.note(route=path)
            return await login.respond(request, self._store, self._sessions, session)
        secret = _secret(request)
        key = session if secret is None else self._store.find(secret)
        if key is not None:
            self._store.note_used(key)
            guard.remember_key(request.scope, key)
            logs.note(key=key.name)
            # Whoever signs in more often has no larger rate; the commands of the server's own user are not counted.
            request.scope["state"][CALLER_STATE] = None if self._store.is_command(key) else key.digest
        if declared_for(request.scope).needs == "nothing":
            return None
        return _refusal(request, key, given=secret is not None)


def describe(openapi: dict[str, object], routes: Iterable[BaseRoute]) -> None:
    """Add to the OpenAPI document of these routes that keys may be required, and what a request without one gets."""
    asked = {
        (getattr(route, "path", ""), method): declared_at(route) or SILENT
        for route in routes
        for method in getattr(route, "methods", None) or ()
    }
    components = openapi["components"]
    assert isinstance(components, dict)  # noqa: S101 - FastAPI makes it
    components["securitySchemes"] = _SCHEMES
    info = openapi["info"]
    assert isinstance(info, dict)  # noqa: S101
    info["description"] += _MANUAL
    paths = openapi["paths"]
    assert isinstance(paths, dict)  # noqa: S101
    for path, methods in paths.items():
        for method, operation in methods.items():
            declared = asked[path, method.upper()]
            if declared.needs == "nothing":
                continue
            operation["security"] = [{}, *({name: []} for name in _SCHEMES)]
            statuses = [401, *([403] if declared.needs_write(method.upper()) else []), 429]
            for status, response in problems.responses(*statuses).items():
                operation["responses"].setdefault(str(status), response)


def _refusal(request: Request, key: Key | None, *, given: bool) -> Response | None:
    if key is None:
        if _is_for_reading(request) and not given:
            return login.page(request)
        said = "this API key is not known here" if given else "an API key is needed"
        return problems.of_status(
            401,
            f"{said}: send `Authorization: Bearer KEY`; `rag keys add` on the server's machine makes one",
            headers={"WWW-Authenticate": 'Bearer error="invalid_token"' if given else "Bearer"},
        )
    if key.scope != "write" and declared_for(request.scope).needs_write(request.method):
        return problems.of_status(
            403,
            "this API key may only read: use one made with `rag keys add NAME --scope write`",
            name="scope-missing",
            headers={"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="write"'},
        )
    return None


def _is_for_reading(request: Request) -> bool:
    """Whether a person's browser asks for a page."""
    return (
        request.method in ("GET", "HEAD")
        and not request.scope["path"].startswith(paths.API)
        and "text/html" in request.headers.get("accept", "")
    )


def _secret(request: Request) -> str | None:
    """The key that a request brings, None when it brings none."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    return request.headers.get("x-api-key")
