"""What is evaluated: an assistant in this process, or a server that answers for one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Protocol

from rag.asking import Answering, Wrapped


class Target(Answering, Protocol):
    """Answers questions, shows what it answers from, and says what it is made of."""

    @abstractmethod
    def provenance(self) -> Mapping[str, str]:
        """Everything on its side that could move a score: models, settings, versions."""


class InProcess(Wrapped, Target):
    """The assistant object itself, the one that chat and API use."""

    def __init__(self, assistant: Answering, *, provenance: Mapping[str, str]) -> None:
        super().__init__(assistant)
        self._provenance = provenance

    def provenance(self) -> Mapping[str, str]:
        """See `Target.provenance`."""
        return self._provenance
