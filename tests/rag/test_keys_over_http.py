"""Nothing but /healthz is reached without a key that suffices."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from keyed import Keyed, bearer, sign_in

from rag.api.guard import scope_of
from rag.keys import KeyStore
from rag.settings import RagSettings

if TYPE_CHECKING:
    from rag.assistant import Assistant

HERE = "http://127.0.0.1:8000"
HTML = {"accept": "text/html,application/xhtml+xml"}


def test_nothing_of_the_api_is_reached_without_a_key(visitor: httpx.Client, guarded: Keyed) -> None:
    openapi = visitor.get("/openapi.json", headers=bearer(guarded.read)).json()
    reached = []
    for path, methods in openapi["paths"].items():
        for method in methods:
            response = visitor.request(method, path.replace("{", "").replace("}", ""))
            if response.status_code != 401:
                reached.append(path)
                continue
            assert response.headers["content-type"] == "application/problem+json"
            assert response.headers["www-authenticate"] == "Bearer"
            assert response.json()["type"] == "urn:polycite:problem:key-missing"
    assert len(openapi["paths"]) > 6
    assert reached == ["/healthz"]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/",
            "/docs",
            "/openapi.json",
            "/config",
            "/theme.css",
            "/gradio_api/info",
            "/gradio_api/heartbeat/x",
        ),
        *("/v1/nothing", "/v1/documents/", "//v1/documents", "/V1/documents", "/%76%31/documents"),
        *("/healthz/", "/healthz/../v1/documents"),
    ],
)
def test_nothing_else_is_either(visitor: httpx.Client, path: str) -> None:
    response = visitor.get(path)
    assert response.status_code == 401
    assert visitor.get(path, headers=HTML).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        lambda secret: {"authorization": f"Bearer {secret}"},
        lambda secret: {"authorization": f"bearer   {secret}"},
        lambda secret: {"x-api-key": secret},
    ],
    ids=["bearer", "bearer in small letters", "x-api-key"],
)
def test_a_key_lets_in(
    visitor: httpx.Client, guarded: Keyed, headers: Callable[[str], dict[str, str]]
) -> None:
    for path in ("/v1/documents", "/readyz", "/metrics", "/"):
        assert visitor.get(path, headers=headers(guarded.read)).status_code == 200


@pytest.mark.parametrize("wrong", ["nope", "pc_" + "x" * 43, "a b", "Bearer", "é"])
def test_a_wrong_key_is_told_from_none(visitor: httpx.Client, guarded: Keyed, wrong: str) -> None:
    for headers in ({"authorization": f"Bearer {wrong}"}, {"x-api-key": wrong}):
        encoded = {name.encode(): value.encode() for name, value in headers.items()}
        response = visitor.get("/v1/documents", headers=encoded)
        assert response.status_code == 401
        assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert visitor.get("/v1/documents", headers={"authorization": f"Basic {guarded.read}"}).status_code == 401


def test_a_wrong_key_is_not_mended_by_a_right_one_elsewhere(visitor: httpx.Client, guarded: Keyed) -> None:
    headers = {**bearer("nope"), "x-api-key": guarded.read}
    assert visitor.get("/v1/documents", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/documents"),
        ("DELETE", "/v1/documents/x"),
        ("PUT", "/v1/anything"),
        ("PATCH", "/v1/documents/x"),
    ],
)
def test_a_reading_key_changes_nothing(visitor: httpx.Client, guarded: Keyed, method: str, path: str) -> None:
    refused = visitor.request(method, path, headers=bearer(guarded.read))
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:polycite:problem:scope-missing"
    assert 'scope="write"' in refused.headers["www-authenticate"]
    assert visitor.request(method, path, headers=bearer(guarded.write)).status_code not in (401, 403)


def test_a_reading_key_asks(visitor: httpx.Client, guarded: Keyed) -> None:
    body = {"query": "open data", "top_k": 1}
    assert visitor.post("/v1/search", json=body, headers=bearer(guarded.read)).status_code == 200


def test_keys_come_and_go_while_it_serves(visitor: httpx.Client, guarded: Keyed) -> None:
    """As `rag keys` does it, from another process."""
    elsewhere = KeyStore(guarded.store.path.parent)
    secret = elsewhere.add("for a while")
    assert visitor.get("/v1/documents", headers=bearer(secret)).status_code == 200
    assert visitor.get("/v1/documents", headers=bearer(guarded.read)).status_code == 200
    elsewhere.revoke("for a while")
    assert visitor.get("/v1/documents", headers=bearer(secret)).status_code == 401
    assert visitor.get("/v1/documents", headers=bearer(guarded.read)).status_code == 200


def test_keys_that_cannot_be_read_are_a_problem(visitor: httpx.Client, guarded: Keyed) -> None:
    content = guarded.store.path.read_text()
    guarded.store.path.write_text("{")
    try:
        response = visitor.get("/v1/documents", headers=bearer(guarded.read))
        assert (response.status_code, response.headers["content-type"]) == (503, "application/problem+json")
        assert visitor.get("/").status_code == 401
    finally:
        guarded.store.path.write_text(content)


def test_any_name_of_the_server_will_do_with_a_key_and_no_other_origin(
    visitor: httpx.Client, guarded: Keyed
) -> None:
    named = {**bearer(guarded.read), "host": "docs.example.org"}
    assert visitor.get("/v1/documents", headers=named).status_code == 200
    foreign = {**named, "origin": "https://evil.example"}
    assert visitor.get("/v1/documents", headers=foreign).status_code == 403


def _scope(request: Request) -> str:
    return scope_of(request)


@pytest.mark.parametrize(("name", "expected"), [("read", "read"), ("write", "write")])
def test_the_scope_of_a_request_is_that_of_its_key(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path, name: str, expected: str
) -> None:
    from rag.api import create_app

    store = KeyStore(tmp_path)
    secret = store.add("one", scope=name)  # type: ignore[arg-type]
    app = create_app(assistant, seed_settings, keys=store)
    app.get("/scope")(_scope)
    with TestClient(app, base_url=HERE, follow_redirects=False) as inside:
        assert inside.get("/scope", headers=bearer(secret)).json() == expected
        assert sign_in(inside, secret).status_code == 303, "and of its session"
        assert inside.get("/scope").json() == expected


def test_the_openapi_document_says_how_to_bring_a_key(visitor: httpx.Client, guarded: Keyed) -> None:
    openapi = visitor.get("/openapi.json", headers=bearer(guarded.read)).json()
    assert set(openapi["components"]["securitySchemes"]) == {"bearer", "header"}
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            assert ("401" in operation["responses"]) == (path != "/healthz"), (method, path)
    assert "403" not in openapi["paths"]["/v1/ask"]["post"]["responses"]
    assert json.dumps(openapi).count("securitySchemes") == 1


# -- without keys


def test_without_keys_everything_is_as_before(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path
) -> None:
    from rag.api import create_app

    app = create_app(assistant, seed_settings, keys=KeyStore(tmp_path))
    app.get("/scope")(_scope)
    with TestClient(app, base_url=HERE, follow_redirects=False) as inside:
        assert inside.get("/v1/documents").status_code == 200
        assert inside.get("/scope").json() == "write"
        assert inside.get("/login").headers["location"] == "/"
        assert inside.get("/healthz", headers={"host": "rebound.example"}).status_code == 421
        KeyStore(tmp_path).add("one")
        assert inside.get("/v1/documents").status_code == 401, "from the first key on"


def test_beyond_this_machine_a_key_is_needed_even_when_none_is_left(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path
) -> None:
    from rag.api import create_app

    settings = seed_settings.model_copy(update={"host": "0.0.0.0"})  # noqa: S104 - what is tested
    with TestClient(
        create_app(assistant, settings, keys=KeyStore(tmp_path, required=True)), base_url=HERE
    ) as inside:
        assert inside.get("/v1/documents").status_code == 401
        assert inside.get("/healthz").status_code == 200


def test_the_names_that_the_settings_allow(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path
) -> None:
    from rag.api import create_app

    settings = seed_settings.model_copy(update={"public_hosts": ("docs.example.org",)})
    store = KeyStore(tmp_path)
    headers = bearer(store.add("one"))
    with TestClient(create_app(assistant, settings, keys=store), base_url=HERE) as inside:
        for host, status in (("docs.example.org", 200), ("DOCS.example.org:443", 200), ("evil.example", 421)):
            assert inside.get("/v1/documents", headers={**headers, "host": host}).status_code == status
