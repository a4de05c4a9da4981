"""Every route of the whole application: none is silent about who may call it, and what it declares is what holds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
from keyed import Keyed, bearer
from starlette.routing import Match, Mount

from rag.api import paths
from rag.api.declared import SAFE_METHODS, declared_at

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What the page's framework answers under its own mount, beside what ui/page/doors.py closes. Read the changes of a
# release that adds to this, and close in ui/page/doors.py what the page does not need.
FRAMEWORK = {
    "/",
    "/assets/{path:path}",
    "/config",
    "/favicon.ico",
    "/gradio_api/api/{api_name}",
    "/gradio_api/app_id",
    "/gradio_api/call/{api_name}",
    "/gradio_api/call/{api_name}/{event_id}",
    "/gradio_api/cancel",
    "/gradio_api/component_server",
    "/gradio_api/heartbeat/{session_hash}",
    "/gradio_api/info",
    "/gradio_api/login_check",
    "/gradio_api/queue/data",
    "/gradio_api/queue/join",
    "/gradio_api/queue/status",
    "/gradio_api/reset",
    "/gradio_api/run/{api_name}",
    "/gradio_api/startup-events",
    "/gradio_api/theme.css",
    "/gradio_api/token",
    "/gradio_api/user",
    "/login",
    "/logout",
    "/manifest.json",
    "/monitoring",
    "/monitoring/summary",
    "/monitoring/{key}",
    "/pwa_icon",
    "/pwa_icon/{size}",
    "/robots.txt",
    "/static/{path:path}",
    "/svelte/{path:path}",
    "/theme.css",
}


def filled(template: str) -> str:
    """A path of a route."""
    return re.sub(r"\{[^}]*\}", "x", template) or "/"


def methods(route: BaseRoute) -> Iterable[str]:
    """Those it answers; all where it does not say."""
    return sorted(set(getattr(route, "methods", None) or METHODS) - {"HEAD", "OPTIONS"})


def inner(routes: Iterable[Any]) -> Iterator[str]:
    """The templates of an application's routes, those of routers in it too."""
    for route in routes:
        router = getattr(route, "original_router", None)
        yield from inner(router.routes) if router is not None else [route.path]


def taken(keyed: Keyed, path: str, method: str) -> BaseRoute:
    """The route that answers a request."""
    scope = {"type": "http", "path": path, "method": method, "headers": [], "app": keyed.app}
    return next(route for route in keyed.app.router.routes if route.matches(scope)[0] is Match.FULL)


def test_no_route_is_silent(guarded: Keyed) -> None:
    silent = [getattr(route, "path", route) for route in guarded.app.routes if declared_at(route) is None]
    assert silent == [], "say with `declares` who may call them (rag/api/declared.py)"


def test_what_changes_something_or_is_a_question_counts_as_the_api(guarded: Keyed) -> None:
    """It counts towards the rate, takes a key in a header alone, and is kept in no cache."""
    counted = [
        (route.path, declared)
        for route in guarded.app.routes
        if (declared := declared_at(route)) is not None and (declared.needs == "write" or declared.question)
    ]
    assert len(counted) >= 6
    assert [path for path, _ in counted if not path.startswith(paths.API)] == []


def test_the_frameworks_own_routes_are_known(guarded: Keyed) -> None:
    [page] = [route for route in guarded.app.routes if isinstance(route, Mount) and route.path == ""]
    reached = {
        path.rstrip("/") or "/"
        for path in inner(page.routes)
        if any(taken(guarded, filled(path), method) is page for method in METHODS)
    }
    assert reached == FRAMEWORK


def test_what_is_declared_holds(guarded: Keyed, visitor: httpx.Client) -> None:
    seen = set()
    for route in guarded.app.routes:
        declared = declared_at(route)
        assert declared is not None
        path = filled(route.path)
        for method in methods(route):
            if taken(guarded, path, method) is not route:
                continue  # another one stands before it there
            stranger = visitor.request(method, path, json={})
            assert (stranger.status_code == 401) is (declared.needs != "nothing"), (method, path)
            reader = visitor.request(method, path, json={}, headers=bearer(guarded.read))
            refused = declared.needs == "write" and method not in SAFE_METHODS
            assert (reader.status_code == 403) is refused, (method, path)
            seen.add((declared.needs, refused))
    assert seen == {("nothing", False), ("read", False), ("write", False), ("write", True)}
