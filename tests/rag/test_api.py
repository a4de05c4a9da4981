"""The HTTP API on the shipped documents: answers, searches, documents, health, as the contract has them."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from fastapi.testclient import TestClient
from problem import problem
from texts import HOSTILE, MULTI_SCRIPT, by_id

from rag.answer import Answer, Turn, pieces
from rag.asking import Ask

if TYPE_CHECKING:
    from fastapi import FastAPI

    from rag.assistant import Assistant

HERE = "http://127.0.0.1:8000"
QUESTION = "How many open data sets has the city of Can Tho published?"

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
            *("parallel", "page", "section", "path", "recognised", "gloss"),
        }


def test_the_schema_is_that_of_the_answer(client: TestClient, assistant: Assistant) -> None:
    """No field of the frozen type is lost on its way through the wire's schema."""
    answer = replace(assistant.answer(Ask(QUESTION)), id="0")
    body = client.post("/v1/ask", json={"question": QUESTION}).json()
    expected = answer.to_dict()
    for changing in ("id", "timings_ms"):
        del body[changing], expected[changing]
    assert body == json.loads(json.dumps(expected))


@pytest.mark.parametrize("script", ["english", "bengali", "vietnamese", "arabic"])
def test_every_citation_is_a_slice_of_its_document(client: TestClient, script: str) -> None:
    body = client.post("/v1/ask", json={"question": MULTI_SCRIPT[script]}).json()
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
    assert (
        body["standalone_question"]
        == assistant.answer(Ask(follow_up, history=tuple(turns))).standalone_question
    )
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


@pytest.mark.parametrize("name", ["markdown_image", "nul_and_controls", "noncharacters", "whitespace_only"])
def test_hostile_questions_are_answered_or_refused_politely(client: TestClient, name: str) -> None:
    text = HOSTILE[name]
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
            *("page", "section", "path", "recognised"),
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
        assert release.wait(60)
        return embed(texts)

    async def both() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=HERE) as client:
            question = f"{QUESTION} {uuid4()}"  # the vectors of one asked before are remembered
            asking = asyncio.create_task(client.post("/v1/ask", json={"question": question}))
            assert await asyncio.to_thread(entered.wait, 60)
            assert (await client.get("/healthz")).status_code == 200
            assert not asking.done()
            release.set()
            assert (await asking).status_code == 200

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant.embedder, "embed_queries", held)
        asyncio.run(both())


@pytest.mark.parametrize(
    ("sent", "headers", "language"),
    [
        pytest.param({"interface": "vi"}, {}, "vi", id="said"),
        pytest.param({}, {"accept-language": "*, sv-SE;q=0.8, en;q=0.5"}, "sv", id="by the browser"),
        pytest.param({}, {"accept-language": "sv", "cookie": "polycite_language=vi"}, "vi", id="by the page"),
        pytest.param(
            {"interface": "vi"}, {"accept-language": "sv"}, "vi", id="said, whatever the browser says"
        ),
        pytest.param({}, {}, "und", id="nobody says"),
    ],
)
def test_a_lone_name_is_in_the_language_of_who_asks(
    client: TestClient, sent: dict[str, str], headers: dict[str, str], language: str
) -> None:
    body = {"question": "Can Tho", **sent}
    assert client.post("/v1/ask", json=body, headers=headers).json()["language"] == language


def test_what_was_spoken_before_counts_more_than_the_page(client: TestClient) -> None:
    history = [{"role": "user", "content": "Hur många öppna dataset har Can Tho publicerat?"}]
    body = {"question": "Can Tho", "history": history, "interface": "vi"}
    assert client.post("/v1/ask", json=body).json()["language"] == "sv"


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/search"])
@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"documents": ["nope"]}, "no document has the id 'nope'"),
        ({"languages": ["xx"]}, "'xx' is no language"),
    ],
)
def test_a_mistyped_filter_is_no_empty_place(
    client: TestClient, path: str, filters: dict[str, list[str]], said: str
) -> None:
    body = {"question": QUESTION} if path == "/v1/ask" else {"query": QUESTION}
    found = problem(client.post(path, json={**body, **filters}), status=422, kind="usage")
    assert said in found["detail"]
