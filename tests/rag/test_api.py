"""The HTTP API on the shipped documents: the contract, and that every error is a problem of RFC 9457."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol
from uuid import uuid4

import httpx
import pytest
from fastapi.testclient import TestClient
from texts import HOSTILE, MULTI_SCRIPT, by_id

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
from rag.answer import Answer, Turn, pieces
from rag.api import create_app
from rag.api.guard import MAX_BODY_BYTES, Guard
from rag.api.problems import of_error

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.assistant import Assistant
    from rag.settings import RagSettings

HERE = "http://127.0.0.1:8000"
QUESTION = "How many open data sets has the city of Can Tho published?"


@pytest.fixture(scope="module")
def app(assistant: Assistant, seed_settings: RagSettings) -> FastAPI:
    return create_app(assistant, seed_settings)


@pytest.fixture(scope="module")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=HERE) as opened:
        yield opened


class Response(Protocol):
    """What is read of a response, whichever library it is of."""

    status_code: int

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def text(self) -> str: ...

    def json(self) -> Any: ...


def problem(response: Response, *, status: int, kind: str) -> dict[str, Any]:
    """The body of a problem, checked for what every problem has."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:polycite:problem:{kind}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert "\n" not in body["detail"]
    assert "Traceback" not in response.text
    return body


# -- answers


def test_an_answer_has_the_schema_of_the_contract(client: TestClient) -> None:
    body = client.post("/v1/ask", json={"question": QUESTION}).json()
    assert set(body) == set(Answer.__dataclass_fields__)
    assert body["question"] == QUESTION
    assert body["language"] == "en"
    assert set(body["timings_ms"]) == {"retrieve", "answer", "total"}
    for citation in body["citations"]:
        assert set(citation) == {
            *("marker", "document_id", "source_url", "title", "language", "quote", "start", "end", "score"),
            "parallel",
        }


@pytest.mark.parametrize("question", by_id(MULTI_SCRIPT))
def test_every_citation_is_a_slice_of_its_document(client: TestClient, question: str) -> None:
    body = client.post("/v1/ask", json={"question": question}).json()
    for citation in body["citations"]:
        text = client.get(f"/v1/documents/{citation['document_id']}").json()["text"]
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_the_filters_are_passed_on(client: TestClient) -> None:
    found = client.post("/v1/ask", json={"question": QUESTION, "languages": ["sv"]}).json()
    assert {citation["language"] for citation in found["citations"]} == {"sv"}
    wanted = found["citations"][0]["document_id"]
    found = client.post("/v1/ask", json={"question": QUESTION, "documents": [wanted]}).json()
    assert {citation["document_id"] for citation in found["citations"]} == {wanted}


def test_the_history_is_passed_on(client: TestClient, assistant: Assistant) -> None:
    history = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "540+"}]
    follow_up = "And how many tasks?"
    body = client.post("/v1/ask", json={"question": follow_up, "history": history}).json()
    turns = [Turn("user", QUESTION), Turn("assistant", "540+")]
    assert body["standalone_question"] == assistant.ask(follow_up, history=turns).standalone_question
    assert body["standalone_question"] != follow_up


@pytest.mark.parametrize(
    "question", [QUESTION, "How many people live in Reykjavik?"], ids=["answer", "refusal"]
)
def test_a_streamed_answer_is_the_same_answer(client: TestClient, question: str) -> None:
    plain = client.post("/v1/ask", json={"question": question}).json()
    response = client.post("/v1/ask", json={"question": question, "stream": True})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = list(parsed(response.text))
    names = [name for name, _ in events]
    assert names == ["token"] * (len(events) - 2) + ["answer", "done"]
    streamed = events[-2][1]
    assert "".join(data["text"] for name, data in events if name == "token") == streamed["answer"]
    different = ("id", "timings_ms")
    assert {k: v for k, v in streamed.items() if k not in different} == {
        k: v for k, v in plain.items() if k not in different
    }


def parsed(stream: str) -> Iterator[tuple[str, Any]]:
    """(event, data) of a stream of server-sent events."""
    for block in stream.removesuffix("\n\n").split("\n\n"):
        name, data = block.split("\n")
        yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


@pytest.mark.parametrize("text", by_id({**MULTI_SCRIPT, **HOSTILE, "empty": ""}))
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


def test_an_error_before_the_stream_is_no_stream(client: TestClient) -> None:
    problem(client.post("/v1/ask", json={"question": "?!", "stream": True}), status=422, kind="usage")


@pytest.mark.parametrize("text", by_id(HOSTILE))
def test_hostile_questions_are_answered_or_refused_politely(client: TestClient, text: str) -> None:
    for path, body in (("/v1/ask", {"question": text}), ("/v1/search", {"query": text})):
        response = client.post(path, json=body)
        if response.status_code != 200:
            problem(response, status=422, kind="usage")


def test_a_search_hit_has_the_schema_of_the_contract(client: TestClient) -> None:
    body = client.post("/v1/search", json={"query": QUESTION, "top_k": 3}).json()
    assert len(body["hits"]) == 3
    scores = [hit["score"] for hit in body["hits"]]
    assert scores == sorted(scores, reverse=True)
    for hit in body["hits"]:
        assert set(hit) == {
            *("chunk_id", "document_id", "source_url", "title", "language", "text", "start", "end", "score"),
        }
        text = client.get(f"/v1/documents/{hit['document_id']}").json()["text"]
        assert text[hit["start"] : hit["end"]] == hit["text"]


# -- documents


def test_the_pages_of_the_list_are_the_list(client: TestClient) -> None:
    whole = client.get("/v1/documents", params={"limit": 500}).json()
    assert whole["total"] == len(whole["documents"]) > 2
    paged = [
        document
        for offset in range(0, whole["total"], 2)
        for document in client.get("/v1/documents", params={"limit": 2, "offset": offset}).json()["documents"]
    ]
    assert paged == whole["documents"]
    assert client.get("/v1/documents", params={"offset": whole["total"]}).json()["documents"] == []


def test_the_list_can_be_one_language(client: TestClient) -> None:
    whole = client.get("/v1/documents", params={"limit": 500}).json()["documents"]
    expected = [document for document in whole if document["language"] == "bn"]
    found = client.get("/v1/documents", params={"language": "bn", "limit": 1, "offset": 1}).json()
    assert found["total"] == len(expected)
    assert found["documents"] == expected[1:2]
    assert client.get("/v1/documents", params={"language": "xx"}).json()["total"] == 0


def test_a_document_comes_with_its_text_and_chunks(client: TestClient) -> None:
    listed = client.get("/v1/documents").json()["documents"]
    for entry in listed:
        full = client.get(f"/v1/documents/{entry['id']}").json()
        assert {key: full[key] for key in entry} == entry
        assert len(full["text"]) == entry["characters"]
        assert len(full["chunk_offsets"]) == entry["chunks"]
        assert [chunk["ordinal"] for chunk in full["chunk_offsets"]] == list(range(entry["chunks"]))
        assert all(0 <= chunk["start"] < chunk["end"] <= len(full["text"]) for chunk in full["chunk_offsets"])
        same_source = {
            other["id"] for other in listed if other["source_url"] == full["source_url"] is not None
        }
        assert {other["document_id"] for other in full["parallel"]} == same_source - {entry["id"]}


@pytest.mark.parametrize("document_id", ["nope", "../../etc/passwd", "%00", "x" * 64, "বাংলা"])
def test_an_unknown_document_is_a_problem(client: TestClient, document_id: str) -> None:
    response = client.get(f"/v1/documents/{document_id.replace('/', '%2F')}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


# -- operation


def test_health_and_readiness(client: TestClient, assistant: Assistant) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    assert ready["status"] == "ready"
    assert {key: ready[key] for key in assistant.corpus.counts()} == assistant.corpus.counts()


def test_the_event_loop_is_free_while_the_model_works(app: FastAPI, assistant: Assistant) -> None:
    """Health is answered while a question is held up in its thread."""
    entered, release = threading.Event(), threading.Event()
    embed = assistant.embedder.embed_queries

    def held(texts: list[str]) -> Any:
        entered.set()
        assert release.wait(10)
        return embed(texts)

    async def both() -> float:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            question = f"{QUESTION} {uuid4()}"  # the vectors of one asked before are remembered
            asking = asyncio.create_task(client.post("/v1/ask", json={"question": question}))
            assert await asyncio.to_thread(entered.wait, 10)
            started = time.perf_counter()
            assert (await client.get("/healthz")).status_code == 200
            waited = time.perf_counter() - started
            assert not asking.done()
            release.set()
            assert (await asking).status_code == 200
            return waited

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant.embedder, "embed_queries", held)
        assert asyncio.run(both()) < 2


# -- problems


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


# -- the guard


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


# -- the documentation


def test_every_operation_and_field_is_documented(client: TestClient) -> None:
    openapi = client.get("/openapi.json").json()
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
    schemas = openapi["components"]["schemas"]
    assert "HTTPValidationError" not in json.dumps(openapi["paths"])
    for name in ("AskRequest", "SearchRequest", "Problem"):
        for field, schema in schemas[name]["properties"].items():
            assert schema.get("description"), (name, field)
    for name, schema in schemas.items():
        assert schema.get("description"), name


def test_the_manual_needs_no_other_machine(client: TestClient) -> None:
    page = client.get("/docs").text
    for name in ("/v1/ask", "/v1/search", "/v1/documents", "AskRequest", "AnswerOut"):
        assert name in page
    assert "<script" not in page
    assert not re.findall(r'(?:src|href|action)="(?!#|/[^/])|url\(|@import', page)


def test_the_schema_is_that_of_the_answer(client: TestClient, assistant: Assistant) -> None:
    """No field of the frozen type is lost on its way through the wire's schema."""
    answer = replace(assistant.ask(QUESTION), id="0")
    body = client.post("/v1/ask", json={"question": QUESTION}).json()
    expected = answer.to_dict()
    for changing in ("id", "timings_ms"):
        del body[changing], expected[changing]
    assert body == json.loads(json.dumps(expected))
