"""What is evaluated: an assistant in this process, or a server that answers for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from index.types import Document
from rag.answer import Answer, EngineName, Turn
from rag.assistant import Assistant


class Target(Protocol):
    """Answers questions and shows what it answers from."""

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        languages: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
        engine: EngineName | None = None,
    ) -> Answer:
        """See `Assistant.ask`."""
        ...

    def hits(
        self, query: str, *, top_k: int = 10, documents: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """The search hits of the HTTP contract, best first."""
        ...

    def documents(self) -> list[Document]:
        """Every indexed document with its text."""
        ...

    def provenance(self) -> Mapping[str, str]:
        """Everything on its side that could move a score: models, settings, versions."""
        ...


class InProcess:
    """The assistant object itself, the one that chat and API use."""

    def __init__(self, assistant: Assistant, *, provenance: Mapping[str, str]) -> None:
        self._assistant = assistant
        self._provenance = provenance

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        languages: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
        engine: EngineName | None = None,
    ) -> Answer:
        """See `Target.ask`."""
        return self._assistant.ask(
            question, history=history, languages=languages, documents=documents, engine=engine
        )

    def hits(
        self, query: str, *, top_k: int = 10, documents: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """See `Target.hits`."""
        return [hit.to_dict() for hit in self._assistant.search(query, top_k=top_k, documents=documents)]

    def documents(self) -> list[Document]:
        """See `Target.documents`."""
        corpus = self._assistant.corpus
        found = (corpus.document(info.id) for info in corpus.documents())
        return [document for document in found if document is not None]

    def provenance(self) -> Mapping[str, str]:
        """See `Target.provenance`."""
        return self._provenance
