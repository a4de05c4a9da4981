"""What is asked, and what answers.

An `Ask` is made once, at the door through which a question comes. An `Answering` is what takes it from there: the
assistant, a server by its address (`ui.remote`), the target of an evaluation, something that wraps one of these.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import KW_ONLY, dataclass
from threading import Event
from typing import Any, Protocol, cast

from index.types import Document
from rag.answer import Answer, Found, Token, Turn, answer_of


@dataclass(frozen=True, slots=True)
class Ask:
    """A question with all that it is asked with.

    Attributes:
        text: the question, in any language.
        history: earlier turns, oldest first; a follow-up is completed from them.
        languages: look only into documents in these languages (ISO 639-1); None: all.
        documents: look only into these documents, by id; None: all.
        engine: a name of `rag.engines.ENGINES`; None: the default.
        interface: the language (ISO 639-1) of the page or program that asks; None: not known. A few words may be of
            several languages: then it is likelier to be of this one.
    """

    text: str
    _: KW_ONLY
    history: tuple[Turn, ...] = ()
    languages: tuple[str, ...] | None = None
    documents: tuple[str, ...] | None = None
    engine: str | None = None
    interface: str | None = None


class Answering(Protocol):
    """Answers questions from documents, and shows what it answers from."""

    def answer(self, ask: Ask) -> Answer:
        """Answer a question from the documents, or refuse.

        Raises:
            UsageError: the question is empty or too long, or its engine is not available.
            WorkError: there is no answer, by no fault of the question.
        """
        return answer_of(self.stream(ask))

    @abstractmethod
    def stream(self, ask: Ask, *, stop: Event | None = None) -> Iterator[Token | Answer]:
        """As `answer`, piece by piece: the text while it is written, and last the whole answer, which counts.

        Setting `stop`, or closing the iterator, ends the work; a stream that was stopped has no answer.
        """

    @abstractmethod
    def search(self, ask: Ask, *, top_k: int = 10) -> list[Found]:
        """The passages nearest to what is asked, best first; its history and its engine do not matter.

        Raises:
            UsageError: the text is empty or too long, or `top_k` is below 1.
        """

    @abstractmethod
    def documents(self) -> list[Document]:
        """Every indexed document with its text."""


class Wrapped(Answering):
    """Passes everything on to another; what wraps an `Answering` overrides what it is about."""

    def __init__(self, inner: Answering) -> None:
        self._inner = inner

    def answer(self, ask: Ask) -> Answer:
        """See `Answering.answer`."""
        return self._inner.answer(ask)

    def stream(self, ask: Ask, *, stop: Event | None = None) -> Iterator[Token | Answer]:
        """See `Answering.stream`."""
        return self._inner.stream(ask, stop=stop)

    def search(self, ask: Ask, *, top_k: int = 10) -> list[Found]:
        """See `Answering.search`."""
        return self._inner.search(ask, top_k=top_k)

    def documents(self) -> list[Document]:
        """See `Answering.documents`."""
        return self._inner.documents()


class Watched(Wrapped):
    """Tells of every answer that was finished, in the thread that finished it: counts, logs and memories of answers.

    Args:
        inner: what answers.
        seen: called with what was asked and the answer, before whoever asked gets it.
    """

    def __init__(self, inner: Answering, seen: Callable[[Ask, Answer], None]) -> None:
        super().__init__(inner)
        self._seen = seen

    def answer(self, ask: Ask) -> Answer:
        """See `Answering.answer`."""
        answer = self._inner.answer(ask)
        self._seen(ask, answer)
        return answer

    def stream(self, ask: Ask, *, stop: Event | None = None) -> Iterator[Token | Answer]:
        """See `Answering.stream`."""
        # Closed with this one: whoever leaves a stream ends its work.
        with closing(cast("Any", self._inner.stream(ask, stop=stop))) as items:
            for item in items:
                if isinstance(item, Answer):
                    self._seen(ask, item)
                yield item
