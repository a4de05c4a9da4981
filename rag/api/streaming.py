"""Answers beside the event loop: each is worked on in a thread, and who leaves ends its work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from threading import Event
from typing import TypeVar

import anyio
from fastapi import Request
from starlette.requests import ClientDisconnect

from rag.answer import Answer, Found, Token
from rag.asking import Answering, Ask

# Requests that are answered at once, each in a thread; most of them wait, for their turn or for a model server.
_THREADS = 64

T = TypeVar("T")


class Answers:
    """What answers, for callers on an event loop."""

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._limiter = anyio.CapacityLimiter(_THREADS)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run work off the event loop; who no longer waits for it leaves it behind."""
        return await anyio.to_thread.run_sync(work, limiter=self._limiter, abandon_on_cancel=True)

    async def answer(self, request: Request, ask: Ask) -> Answer:
        """Return the whole answer.

        Raises:
            PolyciteError: as `Answering.answer`.
            ClientDisconnect: the client of the request left; the work has ended.
        """
        stop = Event()
        items = self._answering.stream(ask, stop=stop)
        async with _ended_by(request, stop):
            answer = await self.in_thread(
                lambda: next((item for item in items if isinstance(item, Answer)), None)
            )
        if answer is None:
            raise ClientDisconnect
        return answer

    async def stream(self, request: Request, ask: Ask) -> AsyncIterator[Token | Answer]:
        """Begin an answer and return its pieces, and last the answer; closing the iterator ends the work.

        Raises:
            PolyciteError, ClientDisconnect: as `answer`, when it is known before the first piece.
        """
        stop = Event()
        items = self._answering.stream(ask, stop=stop)
        async with _ended_by(request, stop):
            first = await self.in_thread(lambda: next(items, None))
        if first is None:
            raise ClientDisconnect
        return self._rest(first, items, stop)

    async def search(self, ask: Ask, *, top_k: int) -> list[Found]:
        """Return the passages nearest to what is asked, best first."""
        return await self.in_thread(lambda: self._answering.search(ask, top_k=top_k))

    async def _rest(
        self, item: Token | Answer | None, items: Iterator[Token | Answer], stop: Event
    ) -> AsyncIterator[Token | Answer]:
        try:
            while item is not None:
                yield item
                item = await self.in_thread(lambda: next(items, None))
        finally:
            stop.set()


@asynccontextmanager
async def _ended_by(request: Request, stop: Event) -> AsyncIterator[None]:
    """Set `stop` when the client leaves, or the server does, before the block is done."""

    async def watch() -> None:
        # The body has been read: what comes now is the end.
        while (await request.receive())["type"] != "http.disconnect":
            pass
        stop.set()

    watching = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        stop.set()
        raise
    finally:
        watching.cancel()
