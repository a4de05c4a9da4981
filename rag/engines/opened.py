"""The engines of some settings, opened and put together."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from importlib import import_module
from typing import Any, Self

from index.embedder import Embedder
from index.errors import UsageError
from rag import engines
from rag.engines.checked import Checked
from rag.engines.engine import Engine
from rag.engines.extractive import Extractive
from rag.engines.first_of import FirstOf
from rag.engines.refusal import Refusal
from rag.settings import PREFIX, RagSettings


class Engines:
    """Every engine that is offered: what it writes is checked, what the documents do not hold is refused before it
    begins, and where it gives up the documents are quoted."""

    def __init__(self, by_name: Mapping[str, Engine], *, default: str) -> None:
        self._by_name = by_name
        self._default = default

    @classmethod
    def open(cls, settings: RagSettings, *, embedder: Embedder, at_work: AbstractContextManager[Any]) -> Self:
        """Open those that the settings ask for; `embedder` and `at_work` as for `Checked`.

        Raises:
            SettingsError: the settings of one cannot be used.
        """
        refusal = Refusal(settings.refusal_threshold)
        quotes = Checked(Extractive(), embedder=embedder, at_work=at_work)
        by_name: dict[str, Engine] = {}
        for row in engines.ENGINES:
            opened = _opened(row, settings)
            if opened is not None:
                checked = Checked(opened, embedder=embedder, at_work=at_work)
                last = () if row.name == quotes.name else (quotes,)
                by_name[row.name] = FirstOf(row.name, (refusal, checked, *last))
        return cls(by_name, default=engines.default(settings).name)

    def named(self, name: str | None) -> Engine:
        """Return the engine with a name; None: the default.

        Raises:
            UsageError: it is not offered, or there is none with that name.
        """
        name = name or self._default
        if name not in self._by_name:
            raise UsageError(f"the engine {name} is not available: {_remedy(name)}")
        return self._by_name[name]

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
