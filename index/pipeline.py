"""Two threads beside the one that writes: one reads what comes next, one embeds what was read.

Results arrive in the order of what went in, so that an index does not depend on how fast each thread was. What is
committed, skipped and reported stays with the thread that called: a database may know it by its connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from threading import Condition, Event, Thread
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

Report = Callable[[int], None]


class ReadAhead(Generic[Item, Result]):
    """Prepares items in a thread, in order, while the caller works on those before. Iterate once, inside `with`.

    Args:
        items: what is prepared.
        prepare: makes the result of an item; what it raises is raised when the iteration comes to that item.
        size: how much of the room a result takes, above 0.
        most: the room. The next item is prepared while the results that wait take less.
    """

    def __init__(
        self,
        items: Iterable[Item],
        prepare: Callable[[Item], Result],
        *,
        size: Callable[[Result], int],
        most: int,
    ) -> None:
        self._items = items
        self._prepare = prepare
        self._size = size
        self._most = most
        self._held = 0
        self._ready: deque[tuple[Item, Result]] = deque()
        self._error: BaseException | None = None
        self._ended = self._stopped = False
        self._changed = Condition()
        self._thread = Thread(target=self._work, name="read-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        self._thread.join()

    def __iter__(self) -> Iterator[tuple[Item, Result]]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._ready or self._ended)
                if not self._ready:
                    break
                item, result = self._ready.popleft()
                self._held -= self._size(result)
                self._changed.notify_all()
            yield item, result
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            for item in self._items:
                with self._changed:
                    self._changed.wait_for(lambda: self._stopped or self._held < self._most)
                    if self._stopped:
                        return
                result = self._prepare(item)
                with self._changed:
                    self._ready.append((item, result))
                    self._held += self._size(result)
                    self._changed.notify_all()
        except BaseException as error:  # noqa: BLE001 - the caller's thread raises it
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()


class Running(Generic[Result]):
    """Something that runs in a `Background`."""

    def __init__(self, future: Future[Result], counts: SimpleQueue[int | None]) -> None:
        self._future = future
        self._counts = counts

    def result(self, report: Report) -> Result:
        """Wait for it; `report` is called, in this thread, with each number that it told. Call it once.

        Raises:
            BaseException: what it raised.
        """
        for count in iter(self._counts.get, None):
            report(count)
        return self._future.result()


class Background:
    """One thread that does one thing after the other.

    On leaving `with`, what runs ends the next time it tells a number, and is waited for.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="embed")
        self._left = Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._left.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def start(self, work: Callable[[Report], Result]) -> Running[Result]:
        """Begin `work`, which is given a function to tell numbers with."""
        counts: SimpleQueue[int | None] = SimpleQueue()

        def tell(count: int) -> None:
            if self._left.is_set():
                raise _LeftError
            counts.put(count)

        def run() -> Result:
            try:
                return work(tell)
            finally:
                counts.put(None)

        return Running(self._pool.submit(run), counts)


class _LeftError(Exception):
    """Nobody waits for the result any more."""
