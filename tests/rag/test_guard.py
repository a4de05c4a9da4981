"""The guard of the API: hosts, origins, sizes of bodies, security headers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi.testclient import TestClient
from problem import problem

from rag.api.guard import MAX_BODY_BYTES, Guard

HERE = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("host", "passes"),
    [
        pytest.param("127.0.0.1:8000", True, id="address"),
        pytest.param("localhost", True, id="name"),
        pytest.param("LOCALHOST:1", True, id="name in capitals"),
        pytest.param("[::1]:8000", True, id="IPv6"),
        pytest.param("rebound.example", False, id="another name"),
        pytest.param("localhost.rebound.example", False, id="a name that begins right"),
        pytest.param("127.0.0.1.rebound.example:8000", False, id="an address as a name"),
        pytest.param("rebound.example@localhost", True, id="user part"),
        pytest.param("localhost@rebound.example", False, id="user part of another"),
        pytest.param("[::1", False, id="malformed"),
        pytest.param("", False, id="none"),
    ],
)
def test_the_host_must_be_this_machine(client: TestClient, host: str, passes: bool) -> None:
    response = client.get("/healthz", headers={"host": host})
    if passes:
        assert response.status_code == 200
    else:
        problem(response, status=421, kind="host-refused")


@pytest.mark.parametrize(
    ("origin", "passes"),
    [
        pytest.param(HERE, True, id="own page"),
        pytest.param("http://127.0.0.1:3000", False, id="another port"),
        pytest.param("https://evil.example", False, id="another site"),
        pytest.param("null", False, id="a file"),
    ],
)
def test_other_sites_pages_are_refused(client: TestClient, origin: str, passes: bool) -> None:
    response = client.post("/v1/search", json={"query": "x"}, headers={"origin": origin})
    assert not [name for name in response.headers if name.startswith("access-control-")]
    if passes:
        assert response.status_code == 200
    else:
        problem(response, status=403, kind="origin-refused")


@pytest.mark.parametrize("stated", [True, False], ids=["stated length", "in pieces"])
def test_a_body_too_large_is_refused(client: TestClient, stated: bool) -> None:
    body = b'{"question": "' + b"x" * MAX_BODY_BYTES + b'"}'
    content = body if stated else iter([body[:1000], body[1000:]])
    response = client.post("/v1/ask", content=content, headers={"content-type": "application/json"})
    problem(response, status=413, kind="body-too-large")


def test_the_largest_body_passes_the_guard(client: TestClient) -> None:
    body = b'{"question": "' + b"x" * (MAX_BODY_BYTES - 16) + b'"}'
    assert len(body) == MAX_BODY_BYTES
    response = client.post("/v1/ask", content=body, headers={"content-type": "application/json"})
    problem(response, status=422, kind="usage")


@pytest.mark.parametrize("path", ["/healthz", "/docs", "/v1/nothing"])
def test_every_answer_has_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "server" not in headers


def test_the_guard_lets_other_protocols_be() -> None:
    seen = []

    async def inner(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["type"])

    asyncio.run(Guard(inner)({"type": "lifespan"}, None, None))  # type: ignore[arg-type]
    assert seen == ["lifespan"]
