"""The language model: messages in, text in pieces out, errors of our own, nothing that hangs."""

from __future__ import annotations

import codecs
import logging
import weakref
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Literal, Self

from index.normalise import visible
from rag.llm.breaker import Breaker
from rag.llm.calls import Calls
from rag.llm.failures import FailureKind, LanguageModelError
from rag.settings import RagSettings

if TYPE_CHECKING:
    from rag.llm.connection import Connection

__all__ = ["FailureKind", "LanguageModel", "LanguageModelError", "Message"]

logger = logging.getLogger(__name__)


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
        self._breaker = breaker or Breaker()
        self._calls = Calls(connection)
        # Also when nobody closes it: a thread that still runs while Python ends can crash the process.
        self._end = weakref.finalize(self, self._calls.close)

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
        # openai and llama-index take seconds to import: only where a model is set.
        from rag.llm.connection import Connection

        return cls(settings.llm_model, Connection.configured(settings), breaker=breaker)

    def stream(
        self, messages: Sequence[Message], *, max_tokens: int, stop: Event | None = None
    ) -> Generator[str, None, None]:
        """The answer's text in pieces, each as soon as the server gives it, without what nobody can see.

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
            if stop is None or not stop.is_set():
                yield from _readable(self._calls.stream(messages, max_tokens=max_tokens, stop=stop))
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
        self._end()

    def _enter(self) -> bool:
        try:
            return self._breaker.enter()
        except LanguageModelError as error:
            logger.warning("language model %s: %s: %s", self.name, error.kind, error.cause)
            raise


def _readable(pieces: Generator[str, None, None]) -> Generator[str, None, None]:
    """The pieces as text that any file and any terminal can take.

    A character outside the basic plane may come as two halves, in two pieces; a half alone becomes U+FFFD.
    """
    halves = codecs.getincrementaldecoder("utf-16-le")("replace")
    with closing(pieces):
        for piece in pieces:
            if text := visible(halves.decode(piece.encode("utf-16-le", "surrogatepass"))):
                yield text
    if text := halves.decode(b"", final=True):
        yield text
