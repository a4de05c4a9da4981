"""Search over all that is committed: the version in service, newer rows beside it, deleted ones masked."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from index.catalogue.records import SPACES
from index.errors import IndexUnreachable, WorkError
from index.types import Match
from index.vectors.exact import ExactRows
from index.vectors.served import Served, open_served

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from index.catalogue import CatalogueReader, Space
    from index.catalogue.catalogue import State
    from index.catalogue.rows import Block
    from index.vectors.home import Home
    from index.vectors.protocol import VectorIndex

logger = logging.getLogger(__name__)

EXACT_ROWS = 20_000
"""Up to this many allowed rows a filter is answered exactly: a few milliseconds once they are in memory."""

_FETCH = (200, 1_000)
"""Rows asked of Chroma when some may not count, first and at most: 15 to 84 ms at 100,000 rows, where
Chroma's own `where` takes 40 to 500."""

_AWAY_SECONDS = 0.5  # how long a server that did not answer is left alone

_FILTERS_KEPT = 4  # matrices of recent filters, at most EXACT_ROWS rows each (31 MB at 384 numbers)


@dataclass(frozen=True, slots=True)
class View:
    """What a search works on; replaced as a whole when the catalogue or the version in service moves.

    `tails` are the rows that the version does not cover (all of them without one). `gone` counts the rows
    that it holds and the catalogue does not, by space.
    """

    state: State
    signature: object
    reader: CatalogueReader
    served: Served | None
    tails: dict[Space, ExactRows]
    gone: dict[Space, int]


class LiveVectors:
    """Nearest chunks and sentences of a corpus. Safe to share between threads."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._view: View | None = None
        self._away: tuple[float, IndexUnreachable] | None = None
        self._filters: OrderedDict[tuple[Space, frozenset[str], int, int], ExactRows] = OrderedDict()

    def close(self) -> None:
        """Release the version; searches that run finish first."""
        with self._lock:
            if self._view is not None and self._view.served is not None:
                self._view.served.retire()
            self._view = None
            self._filters.clear()

    def check(self) -> None:
        """Ask the server that holds the vectors, if one does, whether it is there.

        Raises:
            IndexUnreachable: it does not answer.
        """
        self._home.check()

    def version(self) -> str | None:
        """Return the version that searches use now, None when they are exact."""
        view = self._view
        return None if view is None or view.served is None else view.served.pointer.version

    def lag(self, space: Space) -> int:
        """Return how many rows are newer than the version or deleted since it was made."""
        view = self._view
        return 0 if view is None else len(view.tails[space]) + view.gone[space]

    def search(
        self,
        reader: CatalogueReader,
        state: State,
        space: Space,
        vector: NDArray[np.float32],
        *,
        top_k: int,
        among: frozenset[str] | None,
    ) -> list[Match]:
        """Return the nearest live rows of `vector` (dimension,), of the documents `among`; best first.

        Raises:
            IndexUnreachable: a server holds the vectors and does not answer.
        """
        view = self._refresh(reader, state)
        query = np.asarray(vector, np.float32).reshape(1, -1)
        newer = view.tails[space].search(query, top_k=top_k, among=among)[0]
        if view.served is None or view.served.pointer.coverage(space).count == 0:
            return newer
        if among is not None and view.reader.spans_in(space, among) <= EXACT_ROWS:
            return self._filtered(view, space, among).search(query, top_k=top_k)[0]
        older = _served(view, view.served, space, query, top_k=top_k, among=among)
        if older is None:
            older = _exhaustive(view, space, query, top_k=top_k, among=among)
        return merged([newer, older], top_k=top_k)

    def _filtered(self, view: View, space: Space, among: frozenset[str]) -> ExactRows:
        """Return all rows of some documents; the latest few sets stay in memory."""
        key = (space, among, view.reader.generation, view.state.revision)
        with self._lock:
            rows = self._filters.get(key)
            if rows is not None:
                self._filters.move_to_end(key)
                return rows
        rows = _with(ExactRows.empty(view.reader.dimension), [view.reader.block_of(space, among)])
        with self._lock:
            self._filters[key] = rows
            while len(self._filters) > _FILTERS_KEPT:
                self._filters.popitem(last=False)
        return rows

    # -- keeping up

    def _refresh(self, reader: CatalogueReader, state: State) -> View:
        signature = self._home.signature(state)
        view = self._view
        if view is not None and view.state == state and view.signature == signature:
            return view
        with self._lock:
            view = self._view
            if view is not None and view.signature == signature and view.state.revision >= state.revision:
                return view
            self._view = self._moved(view, reader, state, signature)
            return self._view

    def _moved(self, view: View | None, reader: CatalogueReader, state: State, signature: object) -> View:
        same_generation = view is not None and view.reader.generation == reader.generation
        if view is not None and same_generation and view.signature == signature:
            served, tails, gone = view.served, view.tails, view.gone
        else:
            served = self._opened(reader)
            if view is not None and view.served is not None:
                view.served.retire()
            tails, gone = {}, {}
            view = None
        grown = {space: _grown(tails.get(space), reader, served, space) for space in SPACES}
        if view is None or view.state.removals != state.removals:
            grown = {space: _alive(grown[space], reader, space) for space in SPACES}
            gone = {space: _gone(reader, served, space) for space in SPACES}
        return View(state, signature, reader, served, grown, gone)

    def _opened(self, reader: CatalogueReader) -> Served | None:
        """Open the version in service; a server that just did not answer is not asked again for a moment.

        Else questions that wait for one another would each wait for the server.
        """
        if self._away is not None and time.monotonic() - self._away[0] < _AWAY_SECONDS:
            raise self._away[1]
        try:
            return open_served(self._home, generation=reader.generation)
        except IndexUnreachable as error:
            self._away = (time.monotonic(), error)
            raise


def merged(lists: Iterable[list[Match]], *, top_k: int) -> list[Match]:
    """Return the best of several lists, each id once with its best score; equal scores in order of id."""
    best: dict[str, float] = {}
    for matches in lists:
        for match in matches:
            best[match.id] = max(match.score, best.get(match.id, match.score))
    order = sorted(best.items(), key=lambda item: (-item[1], item[0]))
    return [Match(key, score) for key, score in order[:top_k]]


def _grown(rows: ExactRows | None, reader: CatalogueReader, served: Served | None, space: Space) -> ExactRows:
    """Return the uncovered rows with those that were stored since."""
    upto = 0 if served is None else served.pointer.coverage(space).upto
    if rows is None:
        rows = ExactRows.empty(reader.dimension)
    return _with(rows, reader.blocks(space, after=max(upto, rows.last)))


def _with(rows: ExactRows, blocks: Iterable[Block]) -> ExactRows:
    """Return `rows` and then those of the blocks, put together once: a copy per block would be quadratic."""
    found = [block for block in blocks if block.rows]
    if not found:
        return rows
    new = [row for block in found for row in block.rows]
    return rows.extended(
        [row.number for row in new],
        [row.id for row in new],
        [row.document_id for row in new],
        np.concatenate([block.vectors for block in found]),
    )


def _alive(rows: ExactRows, reader: CatalogueReader, space: Space) -> ExactRows:
    """Return the uncovered rows that the catalogue still has."""
    if len(rows) == 0:
        return rows
    return rows.kept(reader.row_numbers(space, after=int(rows.numbers[0]) - 1))


def _gone(reader: CatalogueReader, served: Served | None, space: Space) -> int:
    """Return how many rows of the version the catalogue has no more."""
    if served is None:
        return 0
    coverage = served.pointer.coverage(space)
    return max(0, coverage.count - reader.row_count(space, upto=coverage.upto))


def _served(
    view: View,
    served: Served,
    space: Space,
    query: NDArray[np.float32],
    *,
    top_k: int,
    among: frozenset[str] | None,
) -> list[Match] | None:
    """Return the nearest live rows of the version; None when it cannot tell, and the reason is logged.

    Raises:
        IndexUnreachable: its server does not answer. All vectors of a catalogue that needs a server are too many to
            read for each question meanwhile.
    """
    with served.borrow() as index:
        if index is None:
            return None
        try:
            try:
                return _masked(view, index, space, query, top_k=top_k, among=among)
            except IndexUnreachable:  # a connection of before a restart
                return _masked(view, index, space, query, top_k=top_k, among=among)
        except IndexUnreachable:
            raise
        except WorkError as error:
            logger.warning("this question is searched without Chroma: %s", error)
            return None


def _masked(
    view: View,
    index: VectorIndex,
    space: Space,
    query: NDArray[np.float32],
    *,
    top_k: int,
    among: frozenset[str] | None,
) -> list[Match] | None:
    """Ask for more than `top_k`, leave out what is deleted or not allowed, ask again if that is short."""
    count = index.count(space)
    first = top_k + min(view.gone[space], top_k) if among is None else max(top_k, _FETCH[0])
    for fetch in (first, max(top_k, _FETCH[1])):
        asked = min(fetch, count)
        found = index.search(space, query, top_k=asked)[0]
        matches = found if among is None and not view.gone[space] else _allowed(view, space, found, among)
        # A graph that could not be walked to all of its rows is no proof that there are no more.
        if len(matches) >= top_k or (asked == count and len(found) == count):
            return matches[:top_k]
    return None


def _allowed(view: View, space: Space, found: list[Match], among: frozenset[str] | None) -> list[Match]:
    """Return the matches that the catalogue still has, of the documents `among`."""
    rows = view.reader.resolve(space, [match.id for match in found])
    return [m for m in found if m.id in rows and (among is None or rows[m.id].document_id in among)]


def _exhaustive(
    view: View, space: Space, query: NDArray[np.float32], *, top_k: int, among: frozenset[str] | None
) -> list[Match]:
    """Return the nearest rows by reading every vector of the catalogue, a block at a time."""
    best: list[Match] = []
    for block in view.reader.blocks(space):
        rows = _with(ExactRows.empty(view.reader.dimension), [block])
        best = merged([best, rows.search(query, top_k=top_k, among=among)[0]], top_k=top_k)
    return best
