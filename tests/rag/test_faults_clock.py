"""The server's clock is set, back or forth: nobody is kept out until it is where it was."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from rag import keys
from rag.api.limits import RateLimit
from rag.api.login import Sessions
from rag.keys import KeyStore


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


def test_a_clock_that_jumps_by_a_day_and_back_keeps_rates_sessions_and_uses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async def answer(_: Request) -> PlainTextResponse:
        return PlainTextResponse("here")

    store = KeyStore(tmp_path)
    key = store.find(store.add("one"))
    assert key is not None
    sessions = Sessions()
    token = sessions.open(key)
    now, today = time.time, keys._now()
    limited = RateLimit(Starlette(routes=[Route("/v1/x", answer)]), rate="2/minute", rejected=lambda _: None)
    with TestClient(limited) as client:
        for days in (0, 1, 0, -1, 0):
            monkeypatch.setattr(time, "time", lambda days=days: now() + days * 86400)
            monkeypatch.setattr(keys, "_now", lambda days=days: today + timedelta(days=days))
            assert [client.get("/v1/x").status_code for _ in range(3)] == [200, 200, 429], days
            assert sessions.key(token, store) == key
            assert sessions.wait(key) == 0
            store.note_used(key)
            assert store.last_used()[key.digest].startswith(str((today + timedelta(days=days)).date()))
