"""A circuit breaker: a server that is dead does not slow every question."""

from __future__ import annotations

import time
from threading import Lock

from rag.llm.failures import FailureKind, LanguageModelError

# So many failures in a row, and so many seconds of rest after them. Chosen, not measured.
_FAILURES, _PAUSE_S = 3, 30.0
# The server answers, so it is not dead: it has no room, or the model had nothing to say.
_ALIVE: frozenset[FailureKind] = frozenset({"busy", "empty"})


class Breaker:
    """Counts how calls end. After some failures in a row calls fail at once for a while; then one is tried.

    Every call that `enter` lets through is to `leave`, whatever happens in between. Safe to share between threads.
    (pybreaker locks out other calls while one is made, lets several through on trial when they are generators, and
    takes one that its reader leaves for a success: answers stream for a minute and are left often.)
    """

    def __init__(self, *, failures: int = _FAILURES, pause_s: float = _PAUSE_S) -> None:
        self._failures = failures
        self._pause_s = pause_s
        self._lock = Lock()
        self._in_a_row = 0
        self._last: LanguageModelError | None = None
        self._until = 0.0
        self._on_trial = False

    def enter(self) -> bool:
        """Let a call through; whether it is the one on trial, to be handed to `leave`.

        Raises:
            LanguageModelError: of the last failure's kind, while calls fail at once.
        """
        with self._lock:
            if self._last is None or self._in_a_row < self._failures:
                return False
            if self._on_trial or time.monotonic() < self._until:
                raise LanguageModelError(self._last.kind, f"not asked: {self._in_a_row} failures in a row")
            self._on_trial = True
            return True

    def leave(
        self, *, on_trial: bool, failure: LanguageModelError | None = None, finished: bool = False
    ) -> None:
        """Say how a call ended: it failed, it finished, or, with neither, it was stopped and tells nothing."""
        with self._lock:
            if on_trial:
                self._on_trial = False
            if failure is not None and failure.kind not in _ALIVE:
                self._in_a_row += 1
                self._last = failure
                self._until = time.monotonic() + self._pause_s
            elif finished or failure is not None:
                self._in_a_row = 0
