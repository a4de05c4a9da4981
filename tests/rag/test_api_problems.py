"""Every error of the API is a problem of RFC 9457 that names what is wrong, and nothing more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from problem import problem

from index.errors import (
    IndexBusy,
    IndexDamaged,
    IndexMismatch,
    IndexMissing,
    ModelError,
    PolyciteError,
    UsageError,
    WorkError,
)
from rag.api.problems import of_error

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.assistant import Assistant

HERE = "http://127.0.0.1:8000"
QUESTION = "How many open data sets has the city of Can Tho published?"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "question", id="missing"),
        pytest.param({"question": 3}, "question", id="wrong type"),
        pytest.param({"question": ""}, "question", id="empty"),
        pytest.param(
            {"question": "x", "history": [{"role": "bot", "content": "y"}]}, "history.0.role", id="role"
        ),
        pytest.param({"question": "x", "lang": "en"}, "lang", id="unknown field"),
        pytest.param({"question": "x", "engine": "magic"}, "engine", id="engine"),
        pytest.param({"question": "x", "languages": "bn"}, "languages", id="not a list"),
        pytest.param({"question": "\ud800"}, "question", id="lone surrogate"),
        pytest.param([], "body", id="not an object"),
    ],
)
def test_an_invalid_request_names_the_field(client: TestClient, body: object, field: str) -> None:
    response = client.post(
        "/v1/ask", content=json.dumps(body).encode(), headers={"content-type": "application/json"}
    )
    found = problem(response, status=422, kind="invalid")
    assert field in [error["field"] for error in found["errors"]]
    assert field in found["detail"] or len(found["errors"]) > 1


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=x", "offset=-1", "offset=99999999999999999999"]
)
def test_a_page_out_of_range_is_a_problem(client: TestClient, query: str) -> None:
    found = problem(client.get(f"/v1/documents?{query}"), status=422, kind="invalid")
    assert [error["field"] for error in found["errors"]] == [query.partition("=")[0]]


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "kind"),
    [
        pytest.param("POST", "/v1/ask", {"content": b"{nope"}, 400, "malformed", id="not JSON"),
        pytest.param("POST", "/v1/ask", {"content": b"\xff\xfe"}, 400, "malformed", id="not UTF-8"),
        pytest.param(
            "POST",
            "/v1/ask",
            {"content": b'{"question": "x"}', "headers": {"content-type": "text/plain"}},
            415,
            "media-type",
            id="not said to be JSON",
        ),
        pytest.param("POST", "/v1/ask", {"json": {"question": "?"}}, 422, "usage", id="no words"),
        pytest.param("POST", "/v1/ask", {"json": {"question": "x " * 5000}}, 422, "usage", id="too long"),
        pytest.param(
            "POST", "/v1/ask", {"json": {"question": "x", "engine": "llm"}}, 422, "usage", id="no llm"
        ),
        pytest.param("POST", "/v1/search", {"json": {"query": "x", "top_k": 0}}, 422, "invalid", id="top_k"),
        pytest.param("GET", "/v1/ask", {}, 405, "method-not-allowed", id="method"),
        pytest.param("QUERY", "/v1/search", {}, 405, "method-not-allowed", id="a method of another time"),
        pytest.param("DELETE", "/healthz", {}, 405, "method-not-allowed", id="method outside /v1"),
        pytest.param("GET", "/v1/nothing/here", {}, 404, "not-found", id="path"),
        pytest.param("GET", "/nothing", {}, 404, "not-found", id="path outside /v1"),
    ],
)
def test_a_wrong_call_is_a_problem(
    client: TestClient, *, method: str, path: str, options: dict[str, Any], status: int, kind: str
) -> None:
    if "content" in options:
        options = {"headers": {"content-type": "application/json"}, **options}
    problem(client.request(method, path, **options), status=status, kind=kind)


def test_a_wrong_method_names_the_right_ones(client: TestClient) -> None:
    assert client.put("/v1/search").headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        pytest.param(UsageError("a"), 422, "usage", id="usage"),
        pytest.param(IndexMissing("a"), 503, "index-missing", id="missing"),
        pytest.param(IndexBusy("a"), 503, "index-busy", id="busy"),
        pytest.param(IndexMismatch("a"), 503, "index-mismatch", id="mismatch"),
        pytest.param(IndexDamaged("a"), 503, "index-damaged", id="damaged"),
        pytest.param(ModelError("a"), 500, "model", id="model"),
        pytest.param(WorkError("two\nlines"), 500, "work", id="work"),
    ],
)
def test_our_errors_have_their_problem(error: PolyciteError, status: int, kind: str) -> None:
    response = of_error(error)
    body = json.loads(bytes(response.body))
    assert (response.status_code, body["type"]) == (status, f"urn:polycite:problem:{kind}")
    assert body["detail"] == " ".join(str(error).split())


def test_every_error_class_has_its_problem() -> None:
    def family(kind: type[PolyciteError]) -> Iterator[type[PolyciteError]]:
        yield kind
        for child in kind.__subclasses__():
            yield from family(child)

    for kind in family(PolyciteError):
        error = kind.__new__(kind)
        Exception.__init__(error, "x")
        assert of_error(error).status_code in {422, 500, 503}


def test_an_unforeseen_failure_tells_nothing(app: FastAPI, assistant: Assistant) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret /path")

    with (
        pytest.MonkeyPatch.context() as patch,
        TestClient(app, base_url=HERE, raise_server_exceptions=False) as client,
    ):
        patch.setattr(assistant, "stream", broken)
        response = client.post("/v1/ask", json={"question": QUESTION})
    problem(response, status=500, kind="internal")
    assert "secret" not in response.text
