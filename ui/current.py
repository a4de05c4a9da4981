"""What answers at the moment, for a command that runs for long while servers come and go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event, Lock
from typing import TYPE_CHECKING, Self

from index.ownership import owner
from index.types import Document
from rag.answer import Answer, Found, Token
from rag.api.document_schemas import DocumentsOut, FullDocumentOut
from rag.api.documents import Shelf
from rag.api.mcp.tools import Desk
from rag.asking import Ask
from rag.keys import command_key
from rag.settings import RagSettings
from ui.opening import open_index, open_server
from ui.remote import RemoteAssistant

if TYPE_CHECKING:
    from rag.assistant import Assistant

PURPOSE = "rag mcp"


class Current(Desk):
    """Asks the server that owns the data directory, else the index itself, which is opened at the first question.

    Decided at every call: a server that was started meanwhile answers from then on. Close it when done.
    """

    def __init__(self, settings: RagSettings) -> None:
        """Begin; nothing slow.

        Raises:
            IndexStateError: nobody owns the directory, and there is nothing in it to answer from.
        """
        self._settings = settings
        self._lock = Lock()
        self._opened = ExitStack()
        self._assistant: Assistant | None = None
        self._remote: tuple[tuple[str, str | None], RemoteAssistant] | None = None
        if owner(settings.index.data_dir) is None:
            from index.upkeep import require_index  # chromadb and sqlalchemy

            require_index(settings.index)

    def close(self) -> None:
        """Close what was opened."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def stream(self, ask: Ask, *, stop: Event | None = None) -> Iterator[Token | Answer]:
        """See `Answering.stream`."""
        return self._now().stream(ask, stop=stop)

    def search(self, ask: Ask, *, top_k: int = 10) -> list[Found]:
        """See `Answering.search`."""
        return self._now().search(ask, top_k=top_k)

    def documents(self) -> list[Document]:
        """See `Answering.documents`."""
        return self._now().documents()

    def page(self, *, limit: int, offset: int, language: str | None, query: str | None) -> DocumentsOut:
        """See `Desk.page`."""
        now = self._now()
        if isinstance(now, RemoteAssistant):
            content = now.page(limit=limit, offset=offset, language=language, query=query)
            return DocumentsOut.model_validate(content)
        return self._shelf(now).page(limit=limit, offset=offset, language=language, query=query)

    def document(self, document_id: str) -> FullDocumentOut | None:
        """See `Desk.document`."""
        now = self._now()
        if isinstance(now, RemoteAssistant):
            content = now.document(document_id)
            return None if content is None else FullDocumentOut.model_validate(content)
        return self._shelf(now).document(document_id)

    def _shelf(self, assistant: Assistant) -> Shelf:
        return Shelf(assistant.corpus, self._settings)

    def _now(self) -> RemoteAssistant | Assistant:
        held = owner(self._settings.index.data_dir)
        with self._lock:
            if held is not None and held.address is not None:
                return self._server(held.address)
            if self._assistant is None:
                opened = open_index(self._settings, held, purpose=PURPOSE)
                self._assistant = self._opened.enter_context(opened)
            return self._assistant

    def _server(self, address: str) -> RemoteAssistant:
        """The server at an address, with the key that it left: another one since it was started again."""
        left = (address, command_key(self._settings.index.data_dir))
        if self._remote is None or self._remote[0] != left:
            self._remote = (left, self._opened.enter_context(open_server(self._settings, address)))
        return self._remote[1]
