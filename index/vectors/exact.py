"""Exact search: one matrix product in memory. 100,000 rows of 384 numbers take about 10 ms."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from index.errors import IndexMissing, UsageError
from index.types import Match
from index.vectors.protocol import check_batch, check_name, check_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from index.catalogue import Space


_COPY_SHARE = 4  # rows scored for the price of copying one


def nearest(scores: NDArray[np.float32], top_k: int) -> NDArray[np.intp]:
    """Return the positions of the `top_k` largest scores, best first, equal ones in order of position.

    Scores of -inf are left out.
    """
    if top_k < len(scores):
        # Everything at least as good as the k-th best, so that ties are settled by position, not by chance.
        bound = np.partition(scores, len(scores) - top_k)[len(scores) - top_k]
        candidates = np.flatnonzero(scores >= bound)
    else:
        candidates = np.arange(len(scores))
    order = candidates[np.argsort(-scores[candidates], kind="stable")][:top_k]
    return order[scores[order] > -np.inf]


@dataclass(frozen=True, slots=True)
class ExactRows:
    """Rows held in memory, in the order of their numbers; changes give a new object.

    `numbers` (n,) int64 ascending; `vectors` (n, dimension) float32 unit rows; `codes` (n,) int32 are
    positions in `documents`.
    """

    numbers: NDArray[np.int64]
    ids: Sequence[str]
    codes: NDArray[np.int32]
    vectors: NDArray[np.float32]
    documents: dict[str, int] = field(default_factory=dict)

    @classmethod
    def empty(cls, dimension: int) -> Self:
        """Return no rows."""
        return cls(
            numbers=np.zeros(0, np.int64),
            ids=(),
            codes=np.zeros(0, np.int32),
            vectors=np.zeros((0, dimension), np.float32),
        )

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def last(self) -> int:
        """The largest row number, 0 when empty."""
        return int(self.numbers[-1]) if len(self.numbers) else 0

    def extended(
        self,
        numbers: Sequence[int],
        ids: Sequence[str],
        documents: Sequence[str],
        vectors: NDArray[np.float32],
    ) -> Self:
        """Return these rows and then the given ones."""
        known = dict(self.documents)
        codes = [known.setdefault(document, len(known)) for document in documents]
        return type(self)(
            numbers=np.concatenate([self.numbers, np.asarray(numbers, np.int64)]),
            ids=[*self.ids, *ids],
            codes=np.concatenate([self.codes, np.asarray(codes, np.int32)]),
            # The first rows are taken as they are: they can be hundreds of megabytes.
            vectors=np.concatenate([self.vectors, vectors]) if len(self) else vectors,
            documents=known,
        )

    def kept(self, numbers: NDArray[np.int64]) -> Self:
        """Return the rows whose number is among `numbers`; itself when all are."""
        alive = np.isin(self.numbers, numbers)
        if alive.all():
            return self
        return type(self)(
            numbers=self.numbers[alive],
            ids=[key for key, stays in zip(self.ids, alive, strict=True) if stays],
            codes=self.codes[alive],
            vectors=self.vectors[alive],
            documents=self.documents,
        )

    def search(
        self, vectors: NDArray[np.float32], *, top_k: int, among: frozenset[str] | None = None
    ) -> list[list[Match]]:
        """Return the nearest rows of each row of `vectors` (q, dimension), of the documents `among`."""
        check_query(vectors, dimension=self.vectors.shape[1], top_k=top_k)
        if len(self) == 0:
            return [[] for _ in vectors]
        queries = vectors.astype(np.float32, copy=False)
        if among is None:
            scores = queries @ self.vectors.T
            return [[Match(self.ids[i], float(row[i])) for i in nearest(row, top_k)] for row in scores]
        positions = self._positions(among)
        # Few rows are cheaper to copy out; of many, the others are cheaper to score and leave out.
        if len(positions) * _COPY_SHARE < len(self):
            scores = queries @ self.vectors[positions].T
        else:
            scores = (queries @ self.vectors.T)[:, positions]
        return [[Match(self.ids[positions[i]], float(row[i])) for i in nearest(row, top_k)] for row in scores]

    def _positions(self, among: frozenset[str]) -> NDArray[np.intp]:
        """Return the positions of the rows of some documents, ascending."""
        wanted = np.fromiter((document in among for document in self.documents), bool, len(self.documents))
        return np.flatnonzero(wanted[self.codes]) if len(wanted) else np.zeros(0, np.intp)


class ExactIndex:
    """One version in memory."""

    def __init__(self, spaces: dict[Space, ExactRows]) -> None:
        self._spaces = spaces

    def search(self, space: Space, vectors: NDArray[np.float32], *, top_k: int) -> list[list[Match]]:
        """See `VectorIndex.search`; always exact."""
        return self._spaces[space].search(vectors, top_k=top_k)

    def count(self, space: Space) -> int:
        """See `VectorIndex.count`."""
        return len(self._spaces[space])

    def close(self) -> None:
        """See `VectorIndex.close`."""


class ExactStore:
    """Versions in memory: the plain statement of what the other stores do."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[Space, ExactRows]] = {}

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
        check_name(version)
        spaces = self._versions.setdefault(version, {})
        if space in spaces:
            raise UsageError(f"{space} of version {version} are written already")
        ids: list[str] = []
        parts = [np.zeros((0, dimension), np.float32)]
        for batch, vectors in batches:
            check_batch(batch, vectors, dimension=dimension)
            ids.extend(batch)
            parts.append(np.array(vectors, np.float32))
        empty = ExactRows.empty(dimension)
        spaces[space] = empty.extended(range(1, len(ids) + 1), ids, [""] * len(ids), np.concatenate(parts))
        return len(ids)

    def open(self, version: str) -> ExactIndex:
        """See `VectorStore.open`."""
        if version not in self._versions:
            raise IndexMissing(f"there is no vector version {version}: run `rag index`")
        return ExactIndex(self._versions[version])

    def versions(self) -> list[str]:
        """See `VectorStore.versions`."""
        return sorted(self._versions)

    def drop(self, version: str) -> None:
        """See `VectorStore.drop`."""
        self._versions.pop(version, None)

    def close(self) -> None:
        """See `VectorStore.close`."""
