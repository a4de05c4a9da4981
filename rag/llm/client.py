"""The language model: messages in, text in pieces out, errors of our own, nothing that hangs.

Calls run on one event loop in a thread of its own: only a task that can be cancelled lets go of a server that has not
begun to answer.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Literal, Self

import anyio
from anyio.from_thread import BlockingPortal

from index.errors import UsageError
from rag.llm.breaker import Breaker
from rag.llm.failures import FailureKind, LanguageModelError
from rag.settings import RagSettings

if TYPE_CHECKING:
    from rag.llm.connection import Connection

__all__ = ["FailureKind", "LanguageModel", "LanguageModelError", "Message"]

logger = logging.getLogger(__name__)

# How often a call looks whether it is to stop: a thread's event cannot wake an event loop.
_LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Message:
    """One message to the model."""

    role: Literal["system", "user", "assistant"]
    content: str


class LanguageModel:
    """A model behind a server. Safe to share between threads; calls run side by side.

    Args:
        name: what the server calls the model.
        connection: the server.
        breaker: decides when the server is not even asked.
    """

    def __init__(self, name: str, connection: Connection, *, breaker: Breaker | None = None) -> None:
        self.name = name
        self._connection = connection
        self._breaker = breaker or Breaker()
        self._lock = Lock()
        self._thread: Thread | None = None
        self._calls: set[anyio.CancelScope] = set()
        self._portal: BlockingPortal | None = None
        self._closed = False

    @classmethod
    def open(cls, settings: RagSettings, *, breaker: Breaker | None = None) -> Self | None:
        """The model of the settings; None unless both its URL and its name are set. Nothing is sent yet.

        Raises:
            SettingsError: the URL or the name cannot be used.
        """
        if not settings.llm_base_url or not settings.llm_model:
            if settings.llm_base_url or settings.llm_model:
                logger.warning("no language model: set both RAG_LLM_BASE_URL and RAG_LLM_MODEL")
            return None
        from rag.llm.connection import (
            Connection,
        )  # openai and llama-index: a second, and only where a model is set

        return cls(settings.llm_model, Connection.configured(settings), breaker=breaker)

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, stop: Event | None = None
    ) -> Generator[str, None, None]:
        """The answer's text in pieces, each as soon as the server gives it.

        Setting `stop`, or closing the iterator, closes the connection at once, also before the first piece, so that
        the server's work ends; a stream that was stopped just ends.

        Raises:
            LanguageModelError: no answer, or not all of it; pieces may have come before.
            UsageError: the model is closed.
        """
        on_trial = self._enter()
        failure: LanguageModelError | None = None
        finished = False
        try:
            yield from self._pieces(messages, max_tokens, stop)
            finished = stop is None or not stop.is_set()
        except LanguageModelError as error:
            failure = error
            logger.warning("language model %s: %s: %s", self.name, error.kind, error.cause)
            raise
        finally:
            self._breaker.leave(on_trial=on_trial, failure=failure, finished=finished)

    def complete(self, messages: Sequence[Message], *, max_tokens: int, stop: Event | None = None) -> str:
        """The whole answer at once; what had come until then when `stop` is set.

        Raises:
            LanguageModelError: no answer, or not all of it.
            UsageError: the model is closed.
        """
        return "".join(self.stream(messages, max_tokens=max_tokens, stop=stop))

    def close(self) -> None:
        """End all calls and close the connections. A second time does nothing."""
        with self._lock:
            portal, self._portal, self._closed = self._portal, None, True
        if portal is not None and self._thread is not None:
            portal.call(self._hang_up)
            portal.call(portal.stop, True)
            self._thread.join()

    def _enter(self) -> bool:
        try:
            return self._breaker.enter()
        except LanguageModelError as error:
            logger.warning("language model %s: %s: %s", self.name, error.kind, error.cause)
            raise

    async def _hang_up(self) -> None:
        for call in self._calls:
            call.cancel()
        await self._connection.close()

    def _pieces(self, messages: Sequence[Message], max_tokens: int, stop: Event | None) -> Iterator[str]:
        if stop is not None and stop.is_set():
            return
        came: SimpleQueue[str | LanguageModelError | None] = SimpleQueue()
        call = self._running().start_task_soon(self._ask, list(messages), max_tokens, stop, came)
        try:
            while (item := came.get()) is not None:
                if isinstance(item, LanguageModelError):
                    raise item
                yield item
            call.result()  # an error that nobody foresaw is shown, not lost
        finally:
            call.cancel()

    async def _ask(
        self,
        messages: list[Message],
        max_tokens: int,
        stop: Event | None,
        came: SimpleQueue[str | LanguageModelError | None],
    ) -> None:
        """Fill the queue: pieces, then an error if there was one, and always None at the end."""
        try:
            async with anyio.create_task_group() as group:
                self._calls.add(group.cancel_scope)
                if stop is not None:
                    group.start_soon(_cancel_when, stop, group.cancel_scope)
                try:
                    await self._connection.stream(messages, max_tokens=max_tokens, give=came.put)
                except LanguageModelError as error:
                    came.put(error)
                group.cancel_scope.cancel()
        finally:
            self._calls.discard(group.cancel_scope)
            if self._closed:
                came.put(LanguageModelError("cut", "the model was closed"))
            came.put(None)

    def _running(self) -> BlockingPortal:
        with self._lock:
            if self._closed:
                raise UsageError("the language model is closed: open it again")
            if self._portal is None:
                started: Future[BlockingPortal] = Future()
                # A daemon, and not anyio's own: a process whose model nobody closed must end all the same.
                self._thread = Thread(
                    target=anyio.run, args=(_serve, started), name="language-model", daemon=True
                )
                self._thread.start()
                self._portal = started.result()
            return self._portal


async def _serve(started: Future[BlockingPortal]) -> None:
    async with BlockingPortal() as portal:
        started.set_result(portal)
        await portal.sleep_until_stopped()


async def _cancel_when(stop: Event, scope: anyio.CancelScope) -> None:
    while not stop.is_set():
        await anyio.sleep(_LOOK_S)
    scope.cancel()
