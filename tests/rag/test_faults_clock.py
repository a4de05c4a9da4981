"""The server's clock is set back: nobody is kept out until it is where it was."""

from __future__ import annotations

import time

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from rag.api.limits import RateLimit


def test_a_rate_is_counted_anew_when_the_clock_was_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(_: Request) -> PlainTextResponse:
        return PlainTextResponse("here")

    app = Starlette(routes=[Route("/v1/x", answer)])
    limited = RateLimit(app, rate="2/minute", rejected=lambda _: None)
    now = time.time
    with TestClient(limited) as client:
        assert [client.get("/v1/x").status_code for _ in range(3)] == [200, 200, 429]
        monkeypatch.setattr(time, "time", lambda: now() - 3600)
        assert [client.get("/v1/x").status_code for _ in range(3)] == [200, 200, 429], (
            "as many as before, not fewer"
        )
        assert 0 < int(client.get("/v1/x").headers["retry-after"]) <= 60
        monkeypatch.setattr(time, "time", lambda: now() - 3600.5)
        assert client.get("/v1/x").status_code == 429, "a clock that is corrected a little gives nobody more"
