"""What an engine is: from a look to a draft, whole or in pieces."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from typing import Protocol, Self

from rag.answer import CheckedClaim, Citation, Confidence, Grounding, Token
from rag.asking import Ask
from rag.look import Declined, Look
from rag.settings import RagSettings
from rag.verification.passage import Passage


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An answer before it gets an id and timings.

    It rests either on quotes or on passages: `Checked` holds quotes against the documents, and the claims of a text
    against the passages that it cites.

    Attributes:
        engine: the name of the engine.
        text: in the language of the question, with markers [1], [2], ... in reading order.
        short: the short answer; None: there is none.
        citations: the quotes, one for each marker; of a refusal the nearest passages.
        passages, order: what a text without quotes was written from; marker m cites the passage with the number
            `order[m - 1]`.
        refused: why nothing is answered ("empty", "name", "unanswered"); None: it is an answer.
        model: the language model that wrote it.
        grounding, claims: what the check found; nobody else sets them.
        notice: the line that says what went otherwise than asked.
        confidence: how sure an answer is; of a refusal it does not count.
        alternatives: what documents answer that differ, each as a draft of its own.
        gloss: `short` as a reader of the question's language can read it; None where that is how it stands.
        date: of an alternative, the day of its document as `rag.dated.iso` writes it, where the document tells.
    """

    engine: str
    text: str
    short: str | None = None
    citations: tuple[Citation, ...] = ()
    passages: tuple[Passage, ...] = ()
    order: tuple[int, ...] = ()
    refused: str | None = None
    model: str | None = None
    grounding: Grounding = "none"
    claims: tuple[CheckedClaim, ...] = ()
    notice: str | None = None
    confidence: Confidence = "answered"
    alternatives: tuple[Draft, ...] = ()
    gloss: str | None = None
    date: str | None = None


Drafting = Iterator[Token | Draft | Declined]
"""Pieces of a text while it is written; last the draft, or why there is none. Nothing at all: it is for others."""


class Engine(Protocol):
    """Writes answers. Safe to share between threads. `docs/engines.md` shows how one is added."""

    name: str
    """As users name it."""
    takes_several: bool = False
    """Whether it answers several questions in one text; else it is asked each by itself."""
    rewords: bool = False
    """Whether it can say an answer again in another language, or shorter; else its quotes are shown again."""

    @classmethod
    def open(cls, settings: RagSettings) -> Self | None:
        """Return the engine of these settings; None: they do not ask for it.

        Raises:
            SettingsError: what they say of it cannot be used.
        """
        del settings  # for those that need some
        return cls()

    def complete(self, ask: Ask, *, stop: Event | None = None) -> str | Declined | None:
        """Return a follow-up as a question of its own; None: the rules complete it (`rag.conversation`)."""
        del ask, stop
        return None

    @abstractmethod
    def draft(self, look: Look, *, stop: Event | None = None) -> Drafting:
        """Write an answer. Setting `stop`, or closing the iterator, ends the work; then nothing comes last."""

    def close(self) -> None:
        """Release what it holds; a second time does nothing."""
        return


class Wrapping(Engine):
    """An engine made of another: passes everything on to it, but for what it is about."""

    def __init__(self, engine: Engine) -> None:
        self.name = engine.name
        self.takes_several, self.rewords = engine.takes_several, engine.rewords
        self._engine = engine

    def complete(self, ask: Ask, *, stop: Event | None = None) -> str | Declined | None:
        """See `Engine.complete`."""
        return self._engine.complete(ask, stop=stop)

    def draft(self, look: Look, *, stop: Event | None = None) -> Drafting:
        """See `Engine.draft`."""
        return self._engine.draft(look, stop=stop)

    def close(self) -> None:
        """See `Engine.close`."""
        self._engine.close()
