"""Answers from the server that owns the data directory, over HTTP. The only file of `ui` that imports httpx."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Self

import httpx

from index.errors import UsageError, WorkError
from index.types import Document
from rag.answer import Answer, Citation, EngineName, Parallel, Timings, Turn

CONNECT_SECONDS = 5.0
# On top of what the server may itself wait for a language model.
_SPARE_SECONDS = 60.0
# Documents of one page of their list.
_PAGE = 100


class RemoteAssistant:
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

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        languages: Sequence[str] | None = None,
        documents: Sequence[str] | None = None,
        engine: EngineName | None = None,
    ) -> Answer:
        """See `Assistant.ask`.

        Raises:
            UsageError: the server refuses the question as it is.
            WorkError: the server does not answer, or cannot.
        """
        body = {
            "question": question,
            "history": [{"role": turn.role, "content": turn.content} for turn in history],
            "languages": None if languages is None else list(languages),
            "documents": None if documents is None else list(documents),
            "engine": engine,
        }
        return _answer(self._post("/v1/ask", body), self._address)

    def hits(
        self, query: str, *, top_k: int = 10, documents: Sequence[str] | None = None
    ) -> list[dict[str, Any]]:
        """The passages nearest to a query, best first, as the HTTP contract writes them.

        Raises:
            UsageError, WorkError: as `ask`.
        """
        chosen = None if documents is None else list(documents)
        found = self._post("/v1/search", {"query": query, "top_k": top_k, "documents": chosen}).get("hits")
        if not isinstance(found, list):
            raise _other_format(self._address)
        return found

    def documents(self) -> list[Document]:
        """Every indexed document with its text.

        Raises:
            UsageError, WorkError: as `ask`.
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

    def provenance(self) -> dict[str, str]:
        """What the server tells of itself: its address, its model and the size of its index."""
        ready = self._get("/readyz")
        return {"server": self._address, **{f"server.{name}": str(value) for name, value in ready.items()}}

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        return self._send("POST", path, json=body)

    def _get(self, path: str, query: dict[str, int] | None = None) -> Any:
        return self._send("GET", path, params=query)

    def _send(self, method: str, path: str, **sent: Any) -> Any:
        try:
            response = self._client.request(method, path, **sent)
        except httpx.HTTPError as error:
            raise WorkError(
                f"the server at {self._address} does not answer ({error}): wait for it or stop it"
            ) from error
        try:
            content = response.json()
        except ValueError:
            content = None
        if response.is_success and isinstance(content, dict):
            return content
        raise _error(response, content, self._address)


def _error(response: httpx.Response, content: object, address: str) -> UsageError | WorkError:
    """A problem (RFC 9457) as the error it was on the server: 4xx is the caller's, the rest the server's."""
    detail = content.get("detail") or content.get("title") if isinstance(content, dict) else None
    said = detail if isinstance(detail, str) else f"{response.status_code} {response.reason_phrase}"
    if response.status_code in (401, 403):
        return WorkError(
            f"the server at {address} refuses this command ({said}): start it again as this user, or set "
            "RAG_SERVER_KEY to an API key of it"
        )
    if response.is_client_error and response.status_code != 429:
        return UsageError(said)
    return WorkError(
        said if isinstance(detail, str) else f"the server at {address} failed ({said}): see its log"
    )


def _answer(content: dict[str, Any], address: str) -> Answer:
    try:
        values = _known(Answer, content)
        values["citations"] = tuple(_citation(each) for each in content["citations"])
        values["timings_ms"] = Timings(**_known(Timings, content["timings_ms"]))
        return Answer(**values)
    except (KeyError, TypeError, AttributeError) as error:
        raise _other_format(address) from error


def _other_format(address: str) -> WorkError:
    return WorkError(
        f"the server at {address} answers in another format than this program reads: "
        "start it again with this version"
    )


def _document(content: dict[str, Any]) -> Document:
    return Document(**_known(Document, content))


def _citation(content: dict[str, Any]) -> Citation:
    values = _known(Citation, content)
    values["parallel"] = tuple(Parallel(**_known(Parallel, each)) for each in content["parallel"])
    return Citation(**values)


def _known(kind: type[Any], content: dict[str, Any]) -> dict[str, Any]:
    """The fields that this version knows: a newer server may send more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in content.items() if name in names}
