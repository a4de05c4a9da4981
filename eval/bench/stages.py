"""Where the time of an answer goes: doors of its parts that note how long each call took."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

REST = "the rest"
"""The stage of what happens outside every other."""


class Clock:
    """Adds up the seconds of stages; a stage within another counts for itself alone. For one thread."""

    def __init__(self) -> None:
        self._running: list[str] = []
        self._since = 0.0
        self._spent: dict[str, float] = defaultdict(float)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """A stage, for the length of a block."""
        self._switch()
        self._running.append(name)
        try:
            yield
        finally:
            self._switch()
            self._running.pop()

    def spent(self) -> dict[str, float]:
        """The seconds of each stage since the last call."""
        found, self._spent = dict(self._spent), defaultdict(float)
        return found

    def _switch(self) -> None:
        now = time.perf_counter()
        if self._running:
            self._spent[self._running[-1]] += now - self._since
        self._since = now


class Door:
    """An object whose methods are timed; everything else is its own.

    Args:
        target: the object.
        stages: method -> the stage that its calls count for.
        inside: method -> `stages` of the object that it returns.
    """

    def __init__(
        self,
        target: object,
        clock: Clock,
        stages: Mapping[str, str],
        inside: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._target = target
        self._clock = clock
        self._stages = stages
        self._inside = inside or {}

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        if name in self._stages or name in self._inside:
            return self._timed(name, value)
        return value

    def _timed(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            with self._clock.stage(self._stages.get(name, REST)):
                found = method(*arguments, **options)
            return Door(found, self._clock, self._inside[name]) if name in self._inside else found

        return call
