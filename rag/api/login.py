"""Signing in with a browser: the page that asks for a key, and the sessions that follow.

The page is a plain form. A session is a random token in a cookie that no script can read and no other site's page can
send; the key itself stays with its owner. Sessions live in this process and end with it, with their time, or with
their key.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import time
from collections import deque
from html import escape
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from rag.api import guard, problems
from rag.api.page_language import reader_language
from rag.keys import Key, KeyStore
from rag.notices import login_words

LOGIN_PATH = "/login"
LOGOUT_PATH = "/logout"
COOKIE = "polycite_session"

_SESSION_SECONDS = 12 * 3600
# Of one key: browsers that are signed in, and sign-ins in a time. Chosen: an office may share a key.
_MAX_SESSIONS = 1_000
_MAX_SIGN_INS, _SIGN_IN_SECONDS = 60, 60.0
_MAX_FORM_BYTES = 4096
# Without it a browser sends `Origin: null` along with a form, and the guard lets no such request in.
_HEADERS = {"Referrer-Policy": "same-origin", "Cache-Control": "no-store"}

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 22rem; margin: 15vh auto 0; padding: 0 1rem; }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input, button { margin: .25rem 0 1rem; padding: .5rem .75rem; border: 1px solid #8888; border-radius: .5rem; }
button { background: #0b62c4; color: #fff; border-color: transparent; cursor: pointer; }
[role=alert] { color: #b3261e; } a { color: inherit; }
@media (prefers-color-scheme: dark) { [role=alert] { color: #ff8a80; } }
"""


class Sessions:
    """Signed-in browsers. Only their tokens' hashes are kept."""

    def __init__(self) -> None:
        # By key, then by token, the oldest first: the end of a session; and by key when it last signed in.
        self._found: dict[str, dict[str, float]] = {}
        self._signed_in: dict[str, deque[float]] = {}

    def wait(self, key: Key) -> int:
        """Seconds until a key may sign in again, 0 when it may now: others cannot be signed out by signing in often."""
        times = self._signed_in.get(key.digest, deque())
        if len(times) < _MAX_SIGN_INS:
            return 0
        return max(0, math.ceil(times[0] + _SIGN_IN_SECONDS - time.monotonic()))

    def open(self, key: Key) -> str:
        """Begin a session of a key's owner and return its token; the oldest of the same key makes room."""
        now = time.monotonic()
        self._signed_in.setdefault(key.digest, deque(maxlen=_MAX_SIGN_INS)).append(now)
        mine = self._found.setdefault(key.digest, {})
        for name in [name for name, until in mine.items() if until <= now]:
            del mine[name]
        while len(mine) >= _MAX_SESSIONS:
            del mine[next(iter(mine))]
        token = secrets.token_urlsafe(32)
        mine[_hashed(token)] = now + _SESSION_SECONDS
        return token

    def key(self, token: str, store: KeyStore) -> Key | None:
        """The key that a token stands for; None when the session, or its key, is none any more.

        Raises:
            WorkError: the keys cannot be read.
        """
        name = _hashed(token)
        digest = next((digest for digest, mine in self._found.items() if name in mine), "")
        found = store.with_digest(digest) if digest else None
        return found if found is not None and time.monotonic() < self._found[digest][name] else None

    def close(self, token: str) -> None:
        """End a session."""
        for mine in self._found.values():
            mine.pop(_hashed(token), None)


def token_of(headers: Headers) -> str | None:
    """The session token of a request, None when it has none or another site's page sent it."""
    origin = headers.get("origin")
    if origin is not None and not guard.is_own(origin, headers.get("host", "")):
        return None
    # Not with a parser of whole cookie headers: a malformed one of another program on this machine would hide ours.
    for part in ";".join(headers.getlist("cookie")).split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE and value:
            return value
    return None


async def respond(request: Request, store: KeyStore, sessions: Sessions, key: Key | None) -> Response:
    """Answer a request to the login or the logout path; `key`: whose session it is of.

    Raises:
        WorkError: the keys cannot be read.
    """
    if request.method != "POST":
        return page(request, key=key)
    if request.scope["path"] == LOGOUT_PATH:
        return _signed_out(request, sessions)
    found = store.find(await _given(request))
    if found is None:
        return page(request, wrong=True)
    wait = sessions.wait(found)
    if wait:
        return problems.of_status(
            429,
            f"this key has signed in {_MAX_SIGN_INS} times within a minute: try again in {wait} s",
            headers={"Retry-After": str(wait)},
        )
    response = RedirectResponse("/", status_code=303, headers=_HEADERS)
    response.set_cookie(
        COOKIE,
        sessions.open(found),
        max_age=_SESSION_SECONDS,
        httponly=True,
        samesite="strict",
        # How the browser came here: a proxy may speak TLS to it and not to this server.
        secure=request.headers.get("origin", "").startswith("https:"),
    )
    return response


def away() -> Response:
    """Where there is nothing to sign in to: to the page itself."""
    return RedirectResponse("/", status_code=303, headers=_HEADERS)


def page(request: Request, *, key: Key | None = None, wrong: bool = False) -> Response:
    """The page that asks for a key (status 401), or that says whose session it is (200)."""
    language = reader_language(request.headers)
    # A link on another site brings no cookie of this one; the page itself, asking again, does.
    again = request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site"
    words = {name: escape(text) for name, text in login_words(language).items()}
    if key is not None:
        body = (
            f"<p>{words['signed_in'].format(name=escape(key.name))}</p><p><a href=/>polycite</a></p>"
            f'<form method=post action="{LOGOUT_PATH}"><button>{words["sign_out"]}</button></form>'
        )
    else:
        alert = f"<p role=alert>{words['key_unknown']}</p>" if wrong else ""
        body = (
            f'{alert}<form method=post action="{LOGIN_PATH}"><label for=key>{words["key"]}</label>'
            "<input id=key name=key type=password autocomplete=current-password required autofocus>"
            f"<button>{words['sign_in']}</button></form>"
        )
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8"><title>polycite</title>'
        f"{'<meta http-equiv=refresh content=0>' if again and key is None else ''}"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>polycite</h1>{body}</body></html>",
        status_code=200 if key is not None else 401,
        headers=_HEADERS if key is not None else {**_HEADERS, "WWW-Authenticate": "Bearer"},
    )


def _signed_out(request: Request, sessions: Sessions) -> Response:
    token = token_of(request.headers)
    if token is not None:
        sessions.close(token)
    response = RedirectResponse(LOGIN_PATH, status_code=303, headers=_HEADERS)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


async def _given(request: Request) -> str:
    """The key of the form; empty when there is none, or more than a form holds."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MAX_FORM_BYTES:
            return ""
    return parse_qs(body.decode("latin-1")).get("key", [""])[0].strip()


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
