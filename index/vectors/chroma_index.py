"""What the embedded store and the server share: collections, searches, and Chroma's errors as ours.

Vectors are always ours: collections are made and opened with `embedding_function=None`, and only vectors are passed.
Chroma's client would all the same make what a server names as a collection's maker of vectors, a model of anyone's
choice with code of its own, as soon as a row is added (chromadb 1.5.9). So it is left none to make.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np
from chromadb.config import Settings
from chromadb.errors import ChromaError, NotFoundError, UniqueConstraintError
from chromadb.utils.embedding_functions import known_embedding_functions, sparse_known_embedding_functions

from index.catalogue.records import SPACES
from index.errors import IndexDamaged, IndexMissing, IndexUnreachable, UsageError, WorkError
from index.types import Match
from index.vectors.protocol import check_batch, check_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from chromadb.api import ClientAPI
    from chromadb.api.collection_configuration import HNSWConfiguration
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

    from index.catalogue import Space

BATCH_ROWS = 5_000
"""Rows a call: Chroma takes at most 5,461."""

EF_SEARCH = 200
"""Set at creation. Recall@10 on hard data: 0.935 at 100, 0.986 at 200, 0.997 at 400; each doubling costs
about as much again."""

DIMENSION = "dimension"  # in a collection's metadata, for a space without rows too


known_embedding_functions.clear()
sparse_known_embedding_functions.clear()


def settings() -> Settings:
    """Return Chroma's settings: nothing is reported to anyone, nothing can be reset."""
    return Settings(anonymized_telemetry=False, allow_reset=False)


class ChromaIndex:
    """One version, open for search through a client that it closes."""

    def __init__(self, client: ClientAPI, collections: dict[Space, Collection], *, where: str) -> None:
        self._client = client
        self._collections = collections
        self._where = where
        with translated(where):
            self._counts = {space: collection.count() for space, collection in collections.items()}
        self._dimensions = {space: _dimension(c, where) for space, c in collections.items()}

    def search(self, space: Space, vectors: NDArray[np.float32], *, top_k: int) -> list[list[Match]]:
        """See `VectorIndex.search`; approximate (HNSW)."""
        check_query(vectors, dimension=self._dimensions[space], top_k=top_k)
        wanted = min(top_k, self._counts[space])
        if wanted == 0 or len(vectors) == 0:
            return [[] for _ in vectors]
        with translated(self._where):
            found = self._collections[space].query(
                query_embeddings=np.ascontiguousarray(vectors, np.float32),
                n_results=wanted,
                include=["distances"],
            )
        distances = found["distances"] or []
        return [_matches(*pair) for pair in zip(found["ids"], distances, strict=True)]

    def count(self, space: Space) -> int:
        """See `VectorIndex.count`: a finished version never changes, so it is asked once."""
        return self._counts[space]

    def close(self) -> None:
        """See `VectorIndex.close`."""
        close_client(self._client)


def open_index(client: ClientAPI, name: Callable[[Space], str], *, version: str, where: str) -> ChromaIndex:
    """Open both spaces of a version; the client is closed when that fails."""
    try:
        with translated(where):
            found = {space: client.get_collection(name(space), embedding_function=None) for space in SPACES}
        return ChromaIndex(client, found, where=where)
    except IndexMissing as error:
        close_client(client)
        raise IndexMissing(
            f"there is no complete vector version {version} in {where}: run `rag index`"
        ) from error
    except BaseException:
        close_client(client)
        raise


def fill(
    client: ClientAPI,
    name: str,
    batches: Iterable[tuple[Sequence[str], NDArray[np.float32]]],
    *,
    dimension: int,
    flush_rows: int,
    where: str,
) -> int:
    """Make a collection and add all rows; returns their number.

    `flush_rows`: Chroma writes its index files whenever that many rows have come since the last time.
    """
    with translated(where):
        collection = client.create_collection(
            name,
            embedding_function=None,
            metadata={DIMENSION: dimension},
            configuration={"hnsw": _hnsw(flush_rows)},
        )
    written = 0
    for ids, vectors in batches:
        check_batch(ids, vectors, dimension=dimension)
        rows = np.ascontiguousarray(vectors, np.float32)
        for part in _parts(len(ids)):
            with translated(where):
                collection.add(ids=list(ids[part]), embeddings=rows[part])
        written += len(ids)
    return written


def close_client(client: ClientAPI) -> None:
    """Close a client: its files and threads are released when the last one on them closes."""
    sessions = http_sessions(client)
    client.close()  # type: ignore[attr-defined]
    # Chroma leaves the connections of its HTTP clients open.
    for session in sessions:
        session.close()


def http_sessions(client: ClientAPI) -> list[httpx.Client]:
    """Return the connections of a server's client, which Chroma does not show; none for the embedded one.

    There are two: one is the client's own, the other that of the part that looks up databases.
    """
    owners = (client, getattr(client, "_admin_client", None))
    sessions = [getattr(getattr(owner, "_server", None), "_session", None) for owner in owners]
    return [session for session in sessions if isinstance(session, httpx.Client)]


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turn Chroma's errors into ours, the cause kept. `where` is its folder or address."""
    try:
        yield
    except NotFoundError as error:
        raise IndexMissing(f"Chroma in {where} does not have it ({error}): run `rag index`") from error
    except UniqueConstraintError as error:
        raise UsageError(f"Chroma in {where} has it already: {error}") from error
    except httpx.HTTPError as error:
        raise _unreachable(where, error) from error
    except OSError as error:
        raise WorkError(f"Chroma cannot use {where} ({error}): check the disk and its rights") from error
    except (ChromaError, ValueError, RuntimeError) as error:
        raise IndexDamaged(f"Chroma in {where} failed ({error}): run `rag index`") from error
    except BaseException as error:
        # What a proxy before a server says comes as a plain exception.
        if type(error) is Exception and where.startswith("http"):
            raise _unreachable(where, error) from error
        # A panic of its Rust core derives from BaseException and has no importable name.
        if type(error).__name__ != "PanicException":
            raise
        raise IndexDamaged(f"Chroma in {where} failed ({error}): run `rag index`") from error


def _unreachable(where: str, error: Exception) -> IndexUnreachable:
    said = " ".join(str(error).split())[:200]
    return IndexUnreachable(
        f"the Chroma server at {where} does not answer ({said}): start it, or look at RAG_CHROMA_URL"
    )


def _hnsw(flush_rows: int) -> HNSWConfiguration:
    return {
        "space": "cosine",
        "ef_search": EF_SEARCH,
        "ef_construction": 100,
        "max_neighbors": 16,
        "sync_threshold": flush_rows,
        "batch_size": min(100, flush_rows),
    }


def _dimension(collection: Collection, where: str) -> int:
    value = (collection.metadata or {}).get(DIMENSION)
    if not isinstance(value, int):
        raise IndexDamaged(f"{collection.name} in {where} is not one of ours: run `rag index`")
    return value


def _matches(ids: Sequence[str], distances: Sequence[Any]) -> list[Match]:
    """Cosine from Chroma's distance (1 - cosine, up to rounding)."""
    return [Match(key, min(1.0, max(-1.0, 1.0 - float(d)))) for key, d in zip(ids, distances, strict=True)]


def _parts(rows: int) -> Iterator[slice]:
    starts = range(0, rows, BATCH_ROWS)
    return (slice(start, start + BATCH_ROWS) for start in islice(starts, len(starts)))
