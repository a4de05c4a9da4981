"""An engine that falls back: the first of several that does not decline."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from threading import Event
from typing import Any, cast

from rag.asking import Ask
from rag.engines.engine import Draft, Drafting, Engine
from rag.look import Declined, Look
from rag.notices import notices_in


class FirstOf(Engine):
    """Engines in the order in which they are asked; an answer says why the one before it did not write it."""

    def __init__(self, name: str, engines: Sequence[Engine]) -> None:
        self.name = name
        self._engines = tuple(engines)
        self.takes_several = any(engine.takes_several for engine in engines)
        self.rewords = any(engine.rewords for engine in engines)

    def complete(self, ask: Ask, *, stop: Event | None = None) -> str | Declined | None:
        """See `Engine.complete`: the word of the first that has one."""
        for engine in self._engines:
            completed = engine.complete(ask, stop=stop)
            if completed is not None:
                return completed
        return None

    def draft(self, look: Look, *, stop: Event | None = None) -> Drafting:
        """See `Engine.draft`."""
        declined = look.declined
        for engine in self._engines:
            if declined is not None and engine.name == declined.engine:
                continue  # it has just failed
            with closing(cast("Any", engine.draft(look, stop=stop))) as drafting:
                for item in drafting:
                    if isinstance(item, Declined):
                        declined = item
                        continue
                    yield _noted(item, declined, look) if isinstance(item, Draft) else item
                    if isinstance(item, Draft):
                        return
            if stop is not None and stop.is_set():
                return
        if declined is not None:
            yield declined

    def close(self) -> None:
        """See `Engine.close`."""
        for engine in self._engines:
            engine.close()


def _noted(draft: Draft, declined: Declined | None, look: Look) -> Draft:
    """A draft that says why another engine declined; a refusal would have been the same of any."""
    if declined is None or draft.refused is not None:
        return draft
    return replace(draft, notice=notices_in(look.question.language)[declined.notice])
