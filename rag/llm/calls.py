"""Calls to the server, run on one event loop in a thread of its own.

Only a task that can be cancelled lets go of a server that has not begun to answer; threads cannot be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Event, Lock, Thread, current_thread
from typing import TYPE_CHECKING

import anyio
from anyio.from_thread import BlockingPortal

from index.errors import UsageError
from rag.llm.failures import LanguageModelError

if TYPE_CHECKING:
    from rag.llm.client import Message
    from rag.llm.connection import Connection

# How often a call looks whether it is to stop: a thread's event cannot wake an event loop. Chosen: nobody notices it.
_LOOK_S = 0.02

# What comes of one call: pieces, then an error if there was one, and None at the end.
_Came = SimpleQueue[str | LanguageModelError | None]


class Calls:
    """The calls over one connection, and the thread they run in, which starts with the first."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = Lock()
        self._thread: Thread | None = None
        self._portal: BlockingPortal | None = None
        self._closed = False

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, stop: Event | None
    ) -> Generator[str, None, None]:
        """The text of one answer in pieces; see `LanguageModel.stream`."""
        came: _Came = SimpleQueue()
        call = self._running().start_task_soon(self._ask, list(messages), max_tokens, stop, came)
        try:
            while (item := came.get()) is not None:
                if isinstance(item, LanguageModelError):
                    raise item
                yield item
            call.result()  # an error that nobody foresaw is shown, not lost
        finally:
            call.cancel()

    def close(self) -> None:
        """End all calls, close the connections, end the thread. A second time does nothing."""
        with self._lock:
            portal, self._portal, self._closed = self._portal, None, True
        if portal is None or self._thread is None:
            return
        if current_thread() is self._thread:  # the garbage collector may run anywhere
            _ = asyncio.get_running_loop().create_task(portal.stop(True))
            return
        portal.call(portal.stop, True)
        self._thread.join()

    async def _ask(self, messages: list[Message], max_tokens: int, stop: Event | None, came: _Came) -> None:
        try:
            async with anyio.create_task_group() as group:
                if stop is not None:
                    group.start_soon(_cancel_when, stop, group.cancel_scope)
                try:
                    await self._connection.stream(messages, max_tokens=max_tokens, give=came.put)
                except LanguageModelError as error:
                    came.put(error)
                group.cancel_scope.cancel()
        except asyncio.CancelledError:
            came.put(LanguageModelError("cut", "the model was closed"))
            raise
        finally:
            came.put(None)

    def _running(self) -> BlockingPortal:
        with self._lock:
            if self._closed:
                raise UsageError("the language model is closed: open it again")
            if self._portal is None:
                started: Future[BlockingPortal] = Future()
                self._thread = Thread(
                    target=anyio.run, args=(self._serve, started), name="language-model", daemon=True
                )
                self._thread.start()
                self._portal = started.result()
            return self._portal

    async def _serve(self, started: Future[BlockingPortal]) -> None:
        try:
            async with BlockingPortal() as portal:
                started.set_result(portal)
                await portal.sleep_until_stopped()
        finally:
            await self._connection.close()


async def _cancel_when(stop: Event, scope: anyio.CancelScope) -> None:
    while not stop.is_set():
        await anyio.sleep(_LOOK_S)
    scope.cancel()
