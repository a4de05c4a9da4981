"""The engines of some settings, opened and put together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Self

from index.embedder import Embedder
from index.errors import UsageError
from rag import engines
from rag.engines.checked import Checked
from rag.engines.counted import Counted, Outcome
from rag.engines.engine import Engine
from rag.engines.first_of import FirstOf
from rag.engines.refusal import Refusal
from rag.reader.passages import Judging
from rag.settings import PREFIX, RagSettings


class Engines:
    """Every engine that is offered: what it writes is checked, what the documents do not hold is refused before it
    begins, and where it gives up the documents are quoted.

    Args:
        refusal: is asked before any other.
        written: those that write, as the table orders them; the first makes up for each of the others.
        default: the name of the one that is asked where none is named.
    """

    def __init__(self, refusal: Engine, written: Sequence[Counted], *, default: str) -> None:
        self._written = tuple(written)
        self._by_name = {
            engine.name: FirstOf(engine.name, (refusal, *dict.fromkeys((engine, written[0]))))
            for engine in written
        }
        self._default = default

    @classmethod
    def open(
        cls,
        settings: RagSettings,
        *,
        embedder: Embedder,
        judging: Judging,
        at_work: AbstractContextManager[Any],
    ) -> Self:
        """Open those that the settings ask for; `embedder`, `judging` and `at_work` as for `Checked`.

        Raises:
            SettingsError: the settings of one cannot be used.
        """
        written: list[Counted] = []
        for row in engines.ENGINES:
            opened = _opened(row, settings)
            if opened is not None:
                written.append(Counted(Checked(opened, embedder=embedder, judging=judging, at_work=at_work)))
        refusal = Refusal(settings.refusal_threshold)
        return cls(refusal, written, default=engines.default(settings).name)

    def named(self, name: str | None) -> Engine:
        """Return the engine with a name; None: the default.

        Raises:
            UsageError: it is not offered, or there is none with that name.
        """
        name = name or self._default
        if name not in self._by_name:
            raise UsageError(f"the engine {name} is not available: {_remedy(name)}")
        return self._by_name[name]

    def counts(self) -> Counter[Outcome]:
        """What came of every draft so far -> how often."""
        return sum((engine.counts() for engine in self._written), Counter())

    def close(self) -> None:
        """Close them all; what is being written is cut off."""
        for engine in self._by_name.values():
            engine.close()


def _opened(row: engines.Row, settings: RagSettings) -> Engine | None:
    if row.needs and not any(getattr(settings, name) for name in row.needs):
        return None
    module, _, name = row.made_by.partition(":")
    made_by: type[Engine] = getattr(import_module(module), name)
    return made_by.open(settings)


def _remedy(name: str) -> str:
    row = next((row for row in engines.ENGINES if row.name == name), None)
    if row is None:
        return f"use {' or '.join(engines.names())}"
    needed = " and ".join(f"{PREFIX}{setting.upper()}" for setting in row.needs)
    return f"{row.without}; set {needed}, or use {engines.ENGINES[0].name}"
