"""The seam between the index and whatever searches vectors.

A *version* is a finished set of vectors under a name: written once, opened for search, dropped, never
changed. Every implementation passes `tests/contracts/test_vector_store.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from index.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from index.catalogue import Space
    from index.types import Match


class VectorIndex(Protocol):
    """One version, open for search. Safe to share between threads."""

    def search(self, space: Space, vectors: NDArray[np.float32], *, top_k: int) -> list[list[Match]]:
        """Return, for each row of `vectors` (q, dimension), its nearest rows: cosine, best first.

        At most `top_k` each, fewer when the space holds fewer. Approximate where the store is. Equal scores
        come in the order in which they were written where the store is exact.

        Raises:
            UsageError: the vectors have another dimension, or `top_k` is below 1.
            IndexDamaged: the store cannot answer.
        """
        ...

    def count(self, space: Space) -> int:
        """Return how many rows the space holds."""
        ...

    def close(self) -> None:
        """Release files and connections. A second call does nothing."""
        ...


class VectorStore(Protocol):
    """Where versions are kept."""

    def write(
        self,
        version: str,
        space: Space,
        batches: Iterable[tuple[Sequence[str], NDArray[np.float32]]],
        *,
        dimension: int,
        rows: int,
    ) -> int:
        """Write a space of a version that is not open; returns the number of rows written.

        Args:
            version: letters, digits and hyphens; at most 40 characters.
            space: "chunks" or "sentences"; each is written once.
            batches: (ids, vectors (n, dimension) float32) of any size; ids are not repeated.
            dimension: of the vectors, for a space without rows too.
            rows: about how many will come; a hint, 0 when unknown.

        Raises:
            UsageError: the name is malformed, the space was written before, or a batch does not fit.
            WorkError: the store cannot be written.
        """
        ...

    def open(self, version: str) -> VectorIndex:
        """Open a version for search.

        Raises:
            IndexMissing: there is no such version.
            IndexDamaged: its files fail their check.
        """
        ...

    def versions(self) -> list[str]:
        """Return the names of the versions, finished or not, in order of name."""
        ...

    def drop(self, version: str) -> None:
        """Delete a version that is not open; nothing happens when there is none."""
        ...

    def close(self) -> None:
        """Release what the store holds; opened versions are closed by themselves."""
        ...


def check_query(vectors: NDArray[np.float32], *, dimension: int, top_k: int) -> None:
    """Raise UsageError unless `vectors` is (q, dimension) and `top_k` at least 1."""
    if vectors.ndim != 2 or vectors.shape[1] != dimension:
        raise UsageError(f"query vectors must have the shape (q, {dimension}), not {vectors.shape}")
    if top_k < 1:
        raise UsageError(f"top_k must be at least 1, not {top_k}")


def check_batch(ids: Sequence[str], vectors: NDArray[np.float32], *, dimension: int) -> None:
    """Raise UsageError unless `vectors` is (len(ids), dimension)."""
    if vectors.shape != (len(ids), dimension):
        raise UsageError(f"a batch must have the shape {(len(ids), dimension)}, not {vectors.shape}")


def check_name(version: str) -> None:
    """Raise UsageError unless a version's name is one that every store accepts."""
    plain = version.replace("-", "")
    if not (plain.isascii() and plain.isalnum() and len(version) <= 40):
        raise UsageError(f"a version is named with letters, digits and hyphens, not {version!r}")
