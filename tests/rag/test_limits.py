"""What a server for others bounds: the rate of each key, and how many questions wait."""

from __future__ import annotations

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from loopback import served
from operation import QUESTION, SETS, Make, held, never_asked, numbers, until

from rag.api.limits import Load
from rag.keys import COMMAND_NAME, KeyStore

if TYPE_CHECKING:
    from rag.assistant import Assistant


def test_a_rate_is_kept_to(make: Make) -> None:
    client = make(rate_limit="3/hour")
    left = [
        client.post(SETS, json={"query": "x", "top_k": 1}).headers["ratelimit-remaining"] for _ in range(3)
    ]
    assert left == ["2", "1", "0"]
    over = client.post(SETS, json={"query": "x", "top_k": 1})
    assert over.status_code == 429
    assert over.json()["type"] == "urn:polycite:problem:rate-limited"
    assert 0 < int(over.headers["retry-after"]) <= 3600
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    assert numbers(client)["polycite_rejected_requests_total", "rate-limited"] == 1


def test_each_key_has_its_own_rate(make: Make, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    one, two = ({"x-api-key": store.add(name)} for name in ("one", "two"))
    client = make(keys=store, rate_limit="1/hour")
    assert client.get("/v1/documents", headers=one).status_code == 200
    assert client.get("/v1/documents", headers=one).status_code == 429
    assert client.get("/v1/documents", headers=two).status_code == 200
    wrong = [client.get("/v1/documents", headers={"x-api-key": "nope"}).status_code for _ in range(3)]
    assert wrong == [401] * 3, "who has no key uses up nobody's rate"


@pytest.mark.parametrize(
    ("rate", "with_key", "shown"),
    [
        (None, False, None),
        (None, True, "120"),
        ("off", True, None),
        ("5/minute", False, "5"),
        ("7/second", True, "7"),
    ],
)
def test_when_there_is_a_rate(
    make: Make, tmp_path: Path, rate: str | None, with_key: bool, shown: str | None
) -> None:
    store = KeyStore(tmp_path)
    headers = {"x-api-key": store.add("one")} if with_key else {}
    client = make(keys=store, rate_limit=rate)
    assert client.get("/v1/documents", headers=headers).headers.get("ratelimit-limit") == shown
    assert "ratelimit-limit" not in client.get("/readyz", headers=headers).headers


def test_commands_of_the_servers_own_user_have_no_rate(make: Make, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    store.add("one")
    client = make(keys=store, rate_limit="1/hour")
    with store.command_key():
        headers = {"x-api-key": (tmp_path / COMMAND_NAME).read_text()}
        assert [client.get("/v1/documents", headers=headers).status_code for _ in range(3)] == [200] * 3


def test_one_question_too_many_is_told_at_once(assistant: Assistant, make: Make) -> None:
    """And health is answered while the others are being worked on."""
    client = make(max_waiting=8)
    load: Load = client.app.state.load  # type: ignore[attr-defined]
    question = never_asked()
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("/v1/ask", {"question": question}),
        ("/v1/ask", {"question": question, "stream": True}),
        (SETS, {"query": question}),
        ("/v1/chat/completions", {"model": "polycite", "messages": [{"role": "user", "content": question}]}),
    ]
    with served(client.app) as address, ThreadPoolExecutor(16) as pool, held(assistant) as (entered, go):
        asked = [pool.submit(httpx.post, address + path, json=body, timeout=60) for path, body in kinds * 2]
        assert entered.acquire(timeout=60)
        until(lambda: load.waiting == 8)
        assert not any(each.done() for each in asked)
        assert httpx.get(f"{address}/healthz", timeout=60).status_code == 200
        assert not any(each.done() for each in asked), "answered before any question"
        for path, body in kinds:
            over = httpx.post(address + path, json=body, timeout=60)
            assert over.status_code == 503
            assert over.json()["type"] == "urn:polycite:problem:busy"
            assert int(over.headers["retry-after"]) > 0
        with httpx.Client(base_url=address, timeout=60) as outside:
            found = numbers(outside)
            assert found["polycite_waiting_questions",] == 8
            assert found["polycite_rejected_requests_total", "over-capacity"] == len(kinds)
            assert outside.get("/v1/documents").status_code == 200, "what needs no model goes on"
        go.set()
        assert [each.result().status_code for each in asked] == [200] * 8
        until(lambda: load.waiting == 0)
        assert httpx.post(f"{address}/v1/ask", json={"question": QUESTION}, timeout=60).status_code == 200


def test_a_client_that_sends_no_body_takes_no_place(make: Make) -> None:
    client = make(max_waiting=1)
    with served(client.app) as address:
        idle = begun(address)
        assert httpx.post(address + SETS, json={"query": "x"}, timeout=60).status_code == 200
        idle.close()
        assert httpx.post(address + SETS, json={"query": "x"}, timeout=60).status_code == 200


def test_a_place_is_taken_when_the_question_is_there(assistant: Assistant, make: Make) -> None:
    """A body that was begun when there was room, and whose end comes when there is none."""
    client = make(max_waiting=1)
    load: Load = client.app.state.load  # type: ignore[attr-defined]
    with served(client.app) as address, ThreadPoolExecutor(1) as pool, held(assistant) as (_, go):
        late = begun(address)
        first = pool.submit(httpx.post, address + SETS, json={"query": never_asked()}, timeout=60)
        until(lambda: load.waiting == 1)
        late.send(b'{"question": "and now?", "x":1}'[:BODY_BYTES])
        response = late.getresponse()
        assert response.status == 503
        assert response.headers["retry-after"]
        assert json.loads(response.read())["type"] == "urn:polycite:problem:busy"
        late.close()
        go.set()
        assert first.result().status_code == 200


BODY_BYTES = 30


def begun(address: str) -> http.client.HTTPConnection:
    """A question of BODY_BYTES whose headers were sent, and nothing else."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    connection.putrequest("POST", "/v1/ask")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(BODY_BYTES))
    connection.endheaders()
    return connection


@pytest.mark.parametrize(
    "body", [b"{nope", b'{"question": "?"}', b'{"question": ""}'], ids=["no JSON", "no words", "empty"]
)
def test_a_failed_question_gives_its_place_back(make: Make, body: bytes) -> None:
    client = make(max_waiting=1)
    for _ in range(3):
        response = client.post("/v1/ask", content=body, headers={"content-type": "application/json"})
        assert response.status_code in (400, 422)
    assert client.app.state.load.waiting == 0  # type: ignore[attr-defined]
