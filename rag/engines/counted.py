"""An engine whose drafts are counted: what each engine is worth, and why one makes room, is seen where it happens."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, Literal, cast

from rag.asking import Ask
from rag.engines.engine import Draft, Drafting, Engine, Wrapping
from rag.look import Declined, Look

Result = Literal["written", "refused", "declined", "unfinished"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a draft.

    Attributes:
        engine: its name.
        result: "unfinished": it was stopped, or it failed.
        reason: of a refusal its cause, of one that declined the name of its notice; else "".
    """

    engine: str
    result: Result
    reason: str = ""


class Counted(Wrapping):
    """Another engine, and how often what came of its drafts."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._counts: Counter[Outcome] = Counter()
        self._lock = Lock()

    def counts(self) -> Counter[Outcome]:
        """Every outcome so far -> how often it came."""
        with self._lock:
            return self._counts.copy()

    def complete(self, ask: Ask, *, stop: Event | None = None) -> str | Declined | None:
        """See `Engine.complete`; one that declines here is not asked for a draft."""
        completed = super().complete(ask, stop=stop)
        if isinstance(completed, Declined):
            self._count("declined", completed.notice)
        return completed

    def draft(self, look: Look, *, stop: Event | None = None) -> Drafting:
        """See `Engine.draft`."""
        result: Result = "unfinished"
        reason = ""
        try:
            with closing(cast("Any", self._engine.draft(look, stop=stop))) as drafting:
                for item in drafting:
                    if isinstance(item, Declined):
                        result, reason = "declined", item.notice
                    elif isinstance(item, Draft):
                        result, reason = "refused" if item.refused else "written", item.refused or ""
                    yield item
        finally:
            self._count(result, reason)

    def _count(self, result: Result, reason: str) -> None:
        with self._lock:
            self._counts[Outcome(self.name, result, reason)] += 1
