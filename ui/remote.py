"""Answers from the server that owns the data directory, over HTTP. The only file of `ui` that imports httpx."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from http import HTTPStatus
from threading import Event
from typing import Any, Self
from urllib.parse import quote

import httpx

from index.errors import UsageError, WorkError
from index.types import Document
from rag.answer import Answer, Found, Token
from rag.asking import Answering, Ask

CONNECT_SECONDS = 5.0
# On top of what the server may itself wait for a language model.
_SPARE_SECONDS = 60.0
# Documents of one page of their list.
_PAGE = 100


class RemoteAssistant(Answering):
    """Asks a running server; answers as `rag.assistant.Assistant` does."""

    def __init__(self, address: str, *, answer_seconds: float, key: str | None = None) -> None:
        """Use the server at `address`, e.g. "http://127.0.0.1:8000".

        Args:
            address: where it serves.
            answer_seconds: its own longest wait.
            key: an API key, where it asks for one.
        """
        self._address = address
        self._client = httpx.Client(
            base_url=address,
            headers={} if key is None else {"Authorization": f"Bearer {key}"},
            timeout=httpx.Timeout(answer_seconds + _SPARE_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,  # a proxy has no part in talking to this machine
        )

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def answer(self, ask: Ask) -> Answer:
        """See `Answering.answer`.

        Raises:
            UsageError: the server refuses the question as it is.
            WorkError: the server does not answer, or cannot.
        """
        return _answer(self._post("/v1/ask", _asked(ask)), self._address)

    def stream(self, ask: Ask, *, stop: Event | None = None) -> Iterator[Token | Answer]:
        """See `Answering.stream`. Closing the iterator, or this object, ends the server's work too.

        Raises:
            UsageError, WorkError: as `answer`; an error of the work may come after pieces.
        """
        body = {**_asked(ask), "stream": True}
        try:
            with self._client.stream("POST", "/v1/ask", json=body) as response:
                if not response.is_success:
                    response.read()
                    raise _error(response, _content(response), self._address)
                for item in self._items(response.iter_text()):
                    if stop is not None and stop.is_set():
                        return
                    yield item
        except httpx.HTTPError as error:
            raise self._silent(error) from error

    def _items(self, received: Iterable[str]) -> Iterator[Token | Answer]:
        for name, data in _events(received, self._address):
            if name == "token":
                yield Token(str(data.get("text", "")))
            elif name == "answer":
                yield _answer(data, self._address)
                return
            elif name == "error":
                raise _problem(int(data.get("status", 500)), data, self._address)
        raise WorkError(
            f"the server at {self._address} ended before its answer did: see its log, and ask again"
        )

    def search(self, ask: Ask, *, top_k: int = 10) -> list[Found]:
        """See `Answering.search`.

        Raises:
            UsageError, WorkError: as `answer`.
        """
        found: Any = self._post("/v1/search", {"query": ask.text, "top_k": top_k, **_among(ask)}).get("hits")
        try:
            return [Found(**_known(Found, hit)) for hit in found]
        except (TypeError, AttributeError) as error:
            raise _other_format(self._address) from error

    def documents(self) -> list[Document]:
        """See `Answering.documents`.

        Raises:
            UsageError, WorkError: as `answer`.
        """
        found: list[Document] = []
        while True:
            page = self._get("/v1/documents", {"limit": _PAGE, "offset": len(found)})
            try:
                for info in page["documents"]:
                    found.append(_document(self._get(f"/v1/documents/{info['id']}")))
                if not page["documents"] or len(found) >= page["total"]:
                    return found
            except (KeyError, TypeError) as error:
                raise _other_format(self._address) from error

    def page(self, **query: str | int | None) -> dict[str, Any]:
        """A page of the list of documents, as `GET /v1/documents` gives it.

        Raises:
            UsageError, WorkError: as `answer`.
        """
        return self._get("/v1/documents", {name: value for name, value in query.items() if value is not None})

    def document(self, document_id: str) -> dict[str, Any] | None:
        """A document with its text, as `GET /v1/documents/{id}` gives it; None when there is none with this id.

        Raises:
            UsageError, WorkError: as `answer`.
        """
        response = self._response("GET", f"/v1/documents/{quote(document_id, safe='')}")
        return None if response.status_code == HTTPStatus.NOT_FOUND else self._object(response)

    def provenance(self) -> dict[str, str]:
        """What the server tells of itself: its address, its model and the size of its index."""
        ready = self._get("/readyz")
        return {"server": self._address, **{f"server.{name}": str(value) for name, value in ready.items()}}

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        return self._object(self._response("POST", path, json=body))

    def _get(self, path: str, query: Mapping[str, str | int] | None = None) -> dict[str, Any]:
        return self._object(self._response("GET", path, params=query))

    def _response(self, method: str, path: str, **sent: Any) -> httpx.Response:
        try:
            return self._client.request(method, path, **sent)
        except httpx.HTTPError as error:
            raise self._silent(error) from error

    def _object(self, response: httpx.Response) -> dict[str, Any]:
        """The object that a response holds."""
        content = _content(response)
        if response.is_success and isinstance(content, dict):
            return content
        raise _error(response, content, self._address)

    def _silent(self, error: httpx.HTTPError) -> WorkError:
        return WorkError(f"the server at {self._address} does not answer ({error}): wait for it or stop it")


def _asked(ask: Ask) -> dict[str, Any]:
    history = [{"role": turn.role, "content": turn.content} for turn in ask.history]
    return {"question": ask.text, "history": history, "engine": ask.engine, **_among(ask)}


def _among(ask: Ask) -> dict[str, Any]:
    """What questions and searches have in common besides their text."""
    # Servers of earlier versions know of no interface: where there is none, none is sent.
    spoken = {} if ask.interface is None else {"interface": ask.interface}
    return {"languages": _listed(ask.languages), "documents": _listed(ask.documents), **spoken}


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def _events(received: Iterable[str], address: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and data of each server-sent event in a text that comes in pieces.

    Not by lines as Python knows them: some of the characters that end one for it stand in the data as they are.
    """
    waiting = ""
    for piece in received:
        *complete, waiting = (waiting + piece).split("\n\n")
        for event in complete:
            values = dict(line.partition(": ")[::2] for line in event.split("\n"))
            try:
                data = json.loads(values.get("data", "{}"))
            except ValueError as error:
                raise _other_format(address) from error
            if not isinstance(data, dict):
                raise _other_format(address)
            yield values.get("event", ""), data


def _content(response: httpx.Response) -> Any:
    """The body of a response; None where it is no JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def _error(response: httpx.Response, content: object, address: str) -> UsageError | WorkError:
    return _problem(response.status_code, content, address, status_line=response.reason_phrase)


def _problem(
    status: int, content: object, address: str, *, status_line: str = "error"
) -> UsageError | WorkError:
    """A problem (RFC 9457) as the error it was on the server: 4xx is the caller's, the rest the server's."""
    detail = content.get("detail") or content.get("title") if isinstance(content, dict) else None
    said = detail if isinstance(detail, str) else f"{status} {status_line}"
    if status in (401, 403):
        return WorkError(
            f"the server at {address} refuses this command ({said}): start it again as this user, or set "
            "RAG_SERVER_KEY to an API key of it"
        )
    if 400 <= status < 500 and status != 429:
        return UsageError(said)
    return WorkError(
        said if isinstance(detail, str) else f"the server at {address} failed ({said}): see its log"
    )


def _answer(content: dict[str, Any], address: str) -> Answer:
    try:
        return Answer.from_dict(content)
    except (KeyError, TypeError, AttributeError) as error:
        raise _other_format(address) from error


def _other_format(address: str) -> WorkError:
    return WorkError(
        f"the server at {address} answers in another format than this program reads: "
        "start it again with this version"
    )


def _document(content: dict[str, Any]) -> Document:
    return Document(**_known(Document, content))


def _known(kind: type[Any], content: dict[str, Any]) -> dict[str, Any]:
    """The fields that this version knows: a newer server may send more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in content.items() if name in names}
