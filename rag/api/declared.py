"""What an operation asks of who calls it, declared where the operation is made.

Access and capacity read it from the route that a request will take. What declares nothing is closed: whatever is not a
plain read needs the scope "write" there. A test walks every route and fails for one that is silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from starlette.routing import BaseRoute, Match
from starlette.types import Scope

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""Whatever is declared, these change nothing."""

_STATE = "declared"

T = TypeVar("T")
Needs = Literal["nothing", "read", "write"]


@dataclass(frozen=True, slots=True)
class Declared:
    """What a route asks.

    Attributes:
        needs: the scope of a key, where keys are in force; "nothing": no key.
        question: whether it takes one of the places for questions.
    """

    needs: Needs
    question: bool = False

    def needs_write(self, method: str) -> bool:
        """Whether a call with this method needs the scope "write"."""
        return self.needs == "write" and method not in SAFE_METHODS


SILENT = Declared("write")
"""What holds where nothing is declared."""


def declares(needs: Needs, *, question: bool = False) -> Callable[[T], T]:
    """Declare it of what answers a route: a function, or an ASGI application."""

    def declared(answers: T) -> T:
        answers.declared = Declared(needs, question)  # type: ignore[attr-defined] # any object takes it
        return answers

    return declared


def declared_at(route: BaseRoute) -> Declared | None:
    """What a route declares, None when it is silent."""
    answers: Any = getattr(route, "endpoint", None) or getattr(route, "app", None)
    found = getattr(answers, "declared", None)
    return found if isinstance(found, Declared) else None


def declared_for(scope: Scope) -> Declared:
    """What the route of a request declares."""
    state = scope.setdefault("state", {})
    if _STATE not in state:
        routes: Iterable[BaseRoute] = scope["app"].router.routes
        taken = next((route for route in routes if route.matches(scope)[0] is Match.FULL), None)
        found = SILENT if taken is None else declared_at(taken) or SILENT
        # The `$` of a route's pattern lets a line end behind the path pass; without a key only the path itself is open.
        state[_STATE] = SILENT if found.needs == "nothing" and scope["path"].endswith("\n") else found
    declared: Declared = state[_STATE]
    return declared
