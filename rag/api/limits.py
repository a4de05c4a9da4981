"""How much is taken on: requests of one caller in a time, and questions at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from index.errors import WorkError
from rag.api import paths, problems
from rag.api.declared import declared_for

DEFAULT_WITH_KEYS = "120/minute"

# Where it is kept whose request it is, where keys are in force; None: not counted.
CALLER_STATE = "caller"

# A waiting question needs about so long to come up; whoever is told to come back does so then, or later.
_RETRY_SECONDS = 5
# Clocks are brought into step by less all the time; by so much only when they were wrong.
_CLOCK_STEP_SECONDS = 2.0


class Load:
    """How many questions are being worked on or wait, and whether the server is stopping. For all threads."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._waiting = 0
        self._stopping = False
        self._lock = Lock()

    @property
    def waiting(self) -> int:
        """Questions in progress or waiting."""
        return self._waiting

    @property
    def stopping(self) -> bool:
        """Whether the server takes nothing new."""
        return self._stopping

    def stop(self) -> None:
        """Take nothing new from now on; what is in progress goes on."""
        self._stopping = True

    def full(self) -> bool:
        """Whether there is no room for one more."""
        return self._waiting >= self.most

    def enter(self) -> bool:
        """Take one more, if there is room."""
        with self._lock:
            if self.full():
                return False
            self._waiting += 1
            return True

    def leave(self) -> None:
        """One is done."""
        with self._lock:
            self._waiting -= 1


class Places:
    """Places for questions, where it is not the request that is one but a call within it.

    Args:
        load: the questions that are there.
        rejected: called with the reason for each that finds no place.
    """

    def __init__(self, load: Load, rejected: Callable[[str], None]) -> None:
        self._load = load
        self._rejected = rejected

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold one for the length of a block.

        Raises:
            WorkError: there is none.
        """
        if self._load.stopping or not self._load.enter():
            raise WorkError(str(self.refusal().detail))
        try:
            yield
        finally:
            self._load.leave()

    def refusal(self) -> HTTPException:
        """Count a question that finds no place, and say why it does not."""
        if self._load.stopping:
            reason, said = "stopping", "the server is being stopped"
        else:
            reason, said = "over-capacity", f"{self._load.most} questions are in progress or waiting already"
        self._rejected(reason)
        return HTTPException(
            503, f"{said}: ask again in a moment", headers={"Retry-After": str(_RETRY_SECONDS)}
        )


class Capacity:
    """ASGI middleware: a question over `load.most` is told at once to come back, and while the server stops whatever
    begins something.

    A question counts from when its body has come, so that a client which sends none takes no place, until its answer,
    or the stream of it, has gone out.
    """

    def __init__(self, app: ASGIApp, *, load: Load, rejected: Callable[[str], None]) -> None:
        self._app = app
        self._load = load
        self._places = Places(load, rejected)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        question = scope["type"] == "http" and declared_for(scope).question
        if (question and self._load.full()) or (self._load.stopping and _begins_something(scope)):
            refusal = self._places.refusal()
            await problems.of_status(503, refusal.detail, headers=refusal.headers)(scope, receive, send)
            return
        if not question:
            await self._app(scope, receive, send)
            return
        entered = False

        async def counted() -> Message:
            nonlocal entered
            message = await receive()
            whole = message["type"] == "http.request" and not message.get("more_body", False)
            if whole and not entered:
                if not self._load.enter():
                    raise self._places.refusal()
                entered = True
            return message

        try:
            await self._app(scope, counted, send)
        finally:
            if entered:
                self._load.leave()


def _begins_something(scope: Scope) -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] not in ("GET", "HEAD")
        and scope["path"].startswith(paths.API)
    )


class RateLimit:
    """ASGI middleware: so many requests of one key, its browser sessions included, or, without keys, client address.

    Args:
        app: what it protects.
        rate: such as "60/minute"; None: any number without keys, `DEFAULT_WITH_KEYS` with them; "off": any number.
        rejected: called with the reason for each request that is turned away.
    """

    def __init__(self, app: ASGIApp, *, rate: str | None, rejected: Callable[[str], None]) -> None:
        self._app = app
        self._rate = None if rate == "off" else parse(rate or DEFAULT_WITH_KEYS)
        self._keys_only = rate is None
        self._storage = MemoryStorage()
        self._limiter = MovingWindowRateLimiter(self._storage)
        self._behind = time.time() - time.monotonic()
        self._rejected = rejected

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it with a problem."""
        caller = _caller(scope, keys_only=self._keys_only) if scope["type"] == "http" else None
        if self._rate is None or caller is None:
            await self._app(scope, receive, send)
            return
        self._follow_the_clock()
        passes = self._limiter.hit(self._rate, caller)
        headers = self._headers(self._rate, caller)

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        if passes:
            await self._app(scope, receive, headed)
            return
        self._rejected("rate-limited")
        refusal = problems.of_status(
            429,
            f"more than {self._rate.amount} requests in {_window(self._rate)}: "
            f"come back in {headers['RateLimit-Reset']} s",
            headers={"Retry-After": headers["RateLimit-Reset"]},
        )
        await refusal(scope, receive, headed)

    def _follow_the_clock(self) -> None:
        """Begin to count anew when the clock was set back: callers would be kept out until it is where it was."""
        behind = time.time() - time.monotonic()
        if behind < self._behind - _CLOCK_STEP_SECONDS:
            self._storage.reset()
        self._behind = behind

    def _headers(self, rate: RateLimitItem, caller: str) -> dict[str, str]:
        window = self._limiter.get_window_stats(rate, caller)
        return {
            "RateLimit-Limit": str(rate.amount),
            "RateLimit-Remaining": str(window.remaining),
            "RateLimit-Reset": str(max(1, math.ceil(window.reset_time - time.time()))),
        }


def _caller(scope: Scope, *, keys_only: bool) -> str | None:
    """Whose requests are counted together; None: this one does not count."""
    if not scope["path"].startswith(paths.API):
        return None
    known = scope.get("state", {})
    if CALLER_STATE in known:
        return known[CALLER_STATE]  # type: ignore[no-any-return]
    return None if keys_only else caller_of(scope)


def caller_of(scope: Scope) -> str:
    """Who sends a request: a key, or, without keys, a client address."""
    client = scope.get("client")
    return scope.get("state", {}).get(CALLER_STATE) or str(client[0] if client else "unknown")


def _window(rate: RateLimitItem) -> str:
    name = rate.GRANULARITY.name
    return f"a {name}" if rate.multiples == 1 else f"{rate.multiples} {name}s"
