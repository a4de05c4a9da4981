"""Versions on a Chroma server (`chroma run`), as collections with versioned names.

Such a server asks nobody who they are: keep it on this machine or on a network that others do not reach.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import chromadb
import httpx

from index.catalogue.records import SPACES
from index.errors import SettingsError
from index.vectors.chroma_index import (
    ChromaIndex,
    close_client,
    fill,
    http_sessions,
    open_index,
    settings,
    translated,
)
from index.vectors.protocol import check_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from chromadb.api import ClientAPI
    from numpy.typing import NDArray

    from index.catalogue import Space


CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0
"""Adding 5,000 rows takes seconds; a server that says nothing for this long is taken for dead."""

FLUSH_ROWS = 10_000
_PAGE = 500  # collections a listing call


class ChromaServer:
    """Versions of one owner on a server; other owners' collections are never touched.

    Args:
        url: `http://host:port`.
        owner: letters and digits that tell this data directory from others on the same server.

    Raises:
        SettingsError: the URL is not one of a server.
        IndexUnreachable: the server does not answer.
    """

    def __init__(self, url: str, *, owner: str) -> None:
        self._url = url
        self._prefix = f"polycite-{owner}-"
        check_name(owner)
        self._client = _client(url)

    def write(
        self,
        version: str,
        space: Space,
        batches: Iterable[tuple[Sequence[str], NDArray[np.float32]]],
        *,
        dimension: int,
        rows: int,
    ) -> int:
        """See `VectorStore.write`."""
        flush = min(max(2, rows or FLUSH_ROWS), FLUSH_ROWS)
        name = self._name(version, space)
        return fill(self._client, name, batches, dimension=dimension, flush_rows=flush, where=self._url)

    def open(self, version: str) -> ChromaIndex:
        """See `VectorStore.open`; the version has a connection of its own."""
        client = _client(self._url)
        return open_index(client, lambda space: self._name(version, space), version=version, where=self._url)

    def versions(self) -> list[str]:
        """See `VectorStore.versions`."""
        found = set()
        for name in self._collections():
            version, _, space = name.removeprefix(self._prefix).rpartition("-")
            if name.startswith(self._prefix) and space in SPACES:
                found.add(version)
        return sorted(found)

    def drop(self, version: str) -> None:
        """See `VectorStore.drop`."""
        names = set(self._collections())
        for name in (self._name(version, space) for space in SPACES):
            if name in names:
                with translated(self._url):
                    self._client.delete_collection(name)

    def close(self) -> None:
        """See `VectorStore.close`."""
        close_client(self._client)

    def _name(self, version: str, space: Space) -> str:
        check_name(version)
        return f"{self._prefix}{version}-{space}"

    def _collections(self) -> list[str]:
        names: list[str] = []
        while True:
            with translated(self._url):
                page = self._client.list_collections(limit=_PAGE, offset=len(names))
            names.extend(collection.name for collection in page)
            if len(page) < _PAGE:
                return names


def ask(url: str) -> None:
    """Ask a server whether it is there.

    Raises:
        IndexUnreachable: it does not answer within a few seconds.
    """
    with translated(url):
        httpx.get(_heartbeat(url), timeout=CONNECT_SECONDS).raise_for_status()


def _heartbeat(url: str) -> str:
    return f"{url.rstrip('/')}/api/v2/heartbeat"


def _client(url: str) -> ClientAPI:
    if "@" in url:  # what is shown in messages and stored with the index must hold no secret
        raise SettingsError(
            "RAG_CHROMA_URL names a user, and Chroma's server knows none: give http://host:port alone, "
            "and keep the server off any network that others reach"
        )
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 8000)
    except ValueError as error:
        raise SettingsError(
            f"RAG_CHROMA_URL is not http://host:port but {url!r}: correct or unset it"
        ) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise SettingsError(f"RAG_CHROMA_URL is not http://host:port but {url!r}: correct or unset it")
    timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
    with translated(url):
        # Chroma's own client waits for ever, at its very construction too: ask first.
        httpx.get(_heartbeat(url), timeout=timeout).raise_for_status()
        client = chromadb.HttpClient(
            host=parts.hostname, port=port, ssl=parts.scheme == "https", settings=settings()
        )
    # It offers no option for a timeout; a client without this attribute merely goes without.
    for session in http_sessions(client):
        session.timeout = timeout
    return client
