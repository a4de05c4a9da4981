"""What a server for others needs: limits, metrics, logs, readiness, CORS; and the server as a process."""

from __future__ import annotations

import http.client
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from loopback import served
from prometheus_client.parser import text_string_to_metric_families

from index.errors import IndexDamaged
from index.ownership import own
from rag.api import create_app
from rag.api.limits import Load
from rag.api.logs import server_logging
from rag.keys import COMMAND_NAME, KeyStore
from rag.settings import RagSettings
from ui.cli import cli
from ui.server import build_app

if TYPE_CHECKING:
    from rag.assistant import Assistant

HERE = "http://127.0.0.1:8000"
QUESTION = "How many open data sets has the city of Can Tho published?"
UNANSWERED = "How many people live in Reykjavik?"
SETS = "/v1/search"

Make = Callable[..., TestClient]


@pytest.fixture
def make(assistant: Assistant, seed_settings: RagSettings, tmp_path: Path) -> Iterator[Make]:
    """A function that makes a client of a new API with these settings; without keys unless given."""
    opened: list[TestClient] = []

    def made(*, keys: KeyStore | None = None, **changes: Any) -> TestClient:
        settings = seed_settings.model_copy(update=changes)
        app = create_app(assistant, settings, keys=keys or KeyStore(tmp_path / "none"))
        client = TestClient(app, base_url=HERE, follow_redirects=False)
        opened.append(client.__enter__())
        return client

    yield made
    for client in opened:
        client.__exit__(None, None, None)


@contextmanager
def held(assistant: Assistant) -> Iterator[tuple[threading.Semaphore, threading.Event]]:
    """Questions are held up where the model begins: released once for each that has come so far, and let go."""
    entered, go = threading.Semaphore(0), threading.Event()
    embed = assistant.embedder.embed_queries

    def waiting(texts: list[str]) -> Any:
        entered.release()
        assert go.wait(30)
        return embed(texts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant.embedder, "embed_queries", waiting)
        try:
            yield entered, go
        finally:
            go.set()


def never_asked() -> str:
    """A question whose vectors no assistant remembers: the model has to work for it."""
    return f"{QUESTION} {uuid4()}"


def until(reached: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + 30
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def numbers(client: httpx.Client, **headers: str) -> dict[tuple[str, ...], float]:
    """/metrics: name and label values, by the names of the labels -> value."""
    text = client.get("/metrics", headers={"accept": "text/plain", **headers}).text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


# -- limits


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
    with served(client.app) as address, ThreadPoolExecutor(16) as pool, held(assistant) as (entered, go):  # type: ignore[arg-type]
        asked = [pool.submit(httpx.post, address + path, json=body, timeout=60) for path, body in kinds * 2]
        assert entered.acquire(timeout=30)
        until(lambda: load.waiting == 8)
        assert not any(each.done() for each in asked)
        assert httpx.get(f"{address}/healthz").status_code == 200
        assert not any(each.done() for each in asked), "answered before any question"
        for path, body in kinds:
            over = httpx.post(address + path, json=body)
            assert over.status_code == 503
            assert over.json()["type"] == "urn:polycite:problem:busy"
            assert int(over.headers["retry-after"]) > 0
        with httpx.Client(base_url=address) as outside:
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
    with served(client.app) as address:  # type: ignore[arg-type]
        idle = begun(address)
        assert httpx.post(address + SETS, json={"query": "x"}, timeout=60).status_code == 200
        idle.close()
        assert httpx.post(address + SETS, json={"query": "x"}, timeout=60).status_code == 200


def test_a_place_is_taken_when_the_question_is_there(assistant: Assistant, make: Make) -> None:
    """A body that was begun when there was room, and whose end comes when there is none."""
    client = make(max_waiting=1)
    load: Load = client.app.state.load  # type: ignore[attr-defined]
    with served(client.app) as address, ThreadPoolExecutor(1) as pool, held(assistant) as (_, go):  # type: ignore[arg-type]
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


# -- health and readiness


def test_a_server_that_stops_is_alive_and_not_ready(make: Make) -> None:
    client = make()
    assert client.get("/readyz").status_code == 200
    client.app.state.load.stop()  # type: ignore[attr-defined]
    for response in (client.get("/readyz"), client.post("/v1/ask", json={"question": QUESTION})):
        assert response.status_code == 503
        assert response.headers["content-type"] == "application/problem+json"
        assert "stopped" in response.json()["detail"]
    assert client.delete("/v1/documents/x").status_code == 503, "nothing new is begun"
    assert client.get("/v1/documents").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_an_index_that_cannot_be_read_is_not_ready(make: Make, assistant: Assistant) -> None:
    def damaged() -> dict[str, int]:
        raise IndexDamaged("the catalogue is torn: run `rag index`")

    client = make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant.corpus, "counts", damaged)
        ready = client.get("/readyz")
        assert (ready.status_code, ready.headers["content-type"]) == (503, "application/problem+json")
        assert "torn" in ready.json()["detail"]
        assert client.get("/healthz").status_code == 200
        found = numbers(client)
        assert found["polycite_index_up",] == 0
        assert ("polycite_documents",) not in found
    assert client.get("/readyz").status_code == 200


# -- CORS


ALLOWED = "https://intranet.example"


def test_other_sites_pages_call_only_where_the_settings_name_them(make: Make) -> None:
    asked = {"origin": ALLOWED, "access-control-request-method": "POST"}
    asked["access-control-request-headers"] = "authorization,content-type"
    refused = make().options("/v1/ask", headers=asked)
    assert refused.status_code == 403
    assert "access-control-allow-origin" not in refused.headers
    granted = make(cors_origins=(ALLOWED,)).options("/v1/ask", headers=asked)
    assert granted.status_code == 200
    assert granted.headers["access-control-allow-origin"] == ALLOWED
    assert "authorization" in granted.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in granted.headers


def test_a_page_that_may_call_reads_problems_too(make: Make, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    key = {"authorization": f"Bearer {store.add('one')}", "origin": ALLOWED}
    client = make(keys=store, cors_origins=(ALLOWED,), rate_limit="1/hour")
    statuses = {}
    for headers in (key, key, {"origin": ALLOWED}):
        response = client.get("/v1/documents", headers=headers)
        statuses[response.status_code] = response.headers["access-control-allow-origin"]
        assert "retry-after" in response.headers["access-control-expose-headers"].lower()
    assert statuses == {200: ALLOWED, 429: ALLOWED, 401: ALLOWED}
    other = client.get("/v1/documents", headers={**key, "origin": "https://evil.example"})
    assert other.status_code == 403


def test_such_a_page_has_no_use_of_a_persons_session(make: Make, tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    client = make(keys=store, cors_origins=(ALLOWED,))
    assert client.post("/login", data={"key": store.add("one")}, headers={"origin": HERE}).status_code == 303
    assert client.get("/v1/documents", headers={"origin": HERE}).status_code == 200
    assert client.get("/v1/documents", headers={"origin": ALLOWED}).status_code == 401


# -- metrics


def test_the_numbers_tell_what_happened(make: Make, assistant: Assistant) -> None:
    client = make()
    secret_words = "Zanzibar"
    for question in (QUESTION, QUESTION, UNANSWERED):
        assert client.post("/v1/ask", json={"question": question}).status_code == 200
    client.post("/v1/ask", json={"question": QUESTION, "stream": True})
    client.get(f"/v1/documents/{secret_words}")
    client.get(f"/v1/{secret_words}")
    client.get(f"/{secret_words}")
    client.request("BREW", "/healthz")
    found = numbers(client)
    assert found["polycite_requests_total", "POST", "/v1/ask", "200"] == 4
    assert found["polycite_requests_total", "GET", "/v1/documents/{document_id}", "404"] == 1
    assert found["polycite_requests_total", "GET", "unmatched", "404"] == 2
    assert [key for key in found if "other" in key]
    assert found["polycite_answers_total", "extractive", "verified"] == 3
    assert found["polycite_answers_total", "extractive", "none"] == 1
    assert sum(value for key, value in found.items() if key[0] == "polycite_refusals_total") == 1
    assert found["polycite_fallbacks_total",] == 0
    for stage in ("retrieve", "answer", "total"):
        assert found["polycite_answer_seconds_count", stage] == 4
    assert found["polycite_index_up",] == 1
    for name, count in assistant.corpus.counts().items():
        if name in ("documents", "chunks", "sentences"):
            assert found[f"polycite_{name}",] == count
    text = client.get("/metrics").text
    assert secret_words not in text
    assert "Can Tho" not in text


def test_two_servers_in_a_process_count_apart(make: Make) -> None:
    one, two = make(), make()
    one.get("/healthz")
    key = ("polycite_requests_total", "GET", "/healthz", "200")
    assert numbers(one)[key] == 1
    assert key not in numbers(two)


def test_the_chat_page_is_counted(assistant: Assistant, seed_settings: RagSettings, tmp_path: Path) -> None:
    """What the page is given is the assistant with its answers counted."""
    app = create_app(assistant, seed_settings, keys=KeyStore(tmp_path))
    app.state.metrics.watched(assistant).ask(QUESTION)
    with TestClient(app, base_url=HERE) as client:
        assert numbers(client)["polycite_answers_total", "extractive", "verified"] == 1


# -- request ids and logs


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("abc-1.2_3", True),
        ("x" * 64, True),
        ("x" * 65, False),
        ("", False),
        ("a b", False),
        ("a\tb", False),
        ('"', False),
    ],
)
def test_a_sane_request_id_is_kept(make: Make, sent: str, kept: bool) -> None:
    returned = make().get("/healthz", headers={"x-request-id": sent}).headers["x-request-id"]
    assert (returned == sent) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", returned)


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("GET", "/v1/nothing", None, {}),
        ("POST", "/v1/ask", {}, {}),
        ("POST", "/v1/ask", {"question": QUESTION, "stream": True}, {}),
        ("GET", "/", None, {}),
        ("GET", "/healthz", None, {"host": "rebound.example"}),
    ],
    ids=["not found", "invalid", "stream", "page", "refused by the guard"],
)
def test_every_answer_has_its_request_id(
    make: Make, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    sent = {**headers, "x-request-id": "mine"}
    assert make().request(method, path, json=body, headers=sent).headers["x-request-id"] == "mine"


def test_a_failure_is_logged_with_its_request_and_told_as_a_problem(
    make: Make, assistant: Assistant, seed_settings: RagSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("unforeseen")

    client = make()
    with server_logging(seed_settings), pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant, "stream", broken)
        response = client.post("/v1/ask", json={"question": QUESTION}, headers={"x-request-id": "mine"})
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == "mine"
    assert "content-security-policy" in response.headers or response.json()["title"]
    lines = logged(capsys)
    assert {line["request_id"] for line in lines} == {"mine"}
    assert any("RuntimeError: unforeseen" in line.get("exc_info", "") for line in lines)
    assert lines[-1]["status"] == 500


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines of the server's log."""
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_request_is_a_line(
    make: Make, seed_settings: RagSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = KeyStore(tmp_path)
    secret = store.add("reader")
    client = make(keys=store)
    with server_logging(seed_settings):
        client.post(
            "/v1/ask",
            json={"question": UNANSWERED},
            headers={"x-request-id": "mine", "authorization": f"Bearer {secret}"},
        )
        client.get("/v1/documents/Reykjavik?language=Reykjavik", headers={"x-api-key": secret})
        client.get("/v1/documents")
    text = capsys.readouterr().err
    first, second, third = (json.loads(line) for line in text.splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00", first.pop("time"))
    assert first.pop("duration_ms") > 0
    assert first == {
        "level": "INFO",
        "logger": "rag.api.logs",
        "message": "request",
        "request_id": "mine",
        "method": "POST",
        "route": "/v1/ask",
        "status": 200,
        "key": "reader",
        "engine": "extractive",
        "refused": True,
    }
    assert (second["route"], second["status"]) == ("/v1/documents/{document_id}", 404)
    assert second["request_id"] != "mine"
    assert third["status"] == 401
    assert "key" not in third
    assert "Reykjavik" not in text
    assert secret not in text


@pytest.mark.parametrize("wanted", [True, False])
def test_questions_are_logged_only_where_asked_for(
    make: Make, seed_settings: RagSettings, capsys: pytest.CaptureFixture[str], wanted: bool
) -> None:
    client = make(log_questions=wanted)
    with server_logging(seed_settings):
        client.post("/v1/ask", json={"question": UNANSWERED, "stream": True})
    [line] = logged(capsys)
    assert line.get("question") == (UNANSWERED if wanted else None)


def test_what_is_logged_in_a_thread_names_its_request(
    make: Make, assistant: Assistant, seed_settings: RagSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = assistant.stream

    def telling(*arguments: Any, **options: Any) -> Any:
        logging.getLogger("rag.somewhere").warning("told from %s", threading.current_thread().name)
        return stream(*arguments, **options)

    client = make()
    with server_logging(seed_settings), pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant, "stream", telling)
        client.post("/v1/ask", json={"question": QUESTION}, headers={"x-request-id": "mine"})
    told = [line for line in logged(capsys) if line["logger"] == "rag.somewhere"]
    assert [line["request_id"] for line in told] == ["mine"]
    assert "MainThread" not in told[0]["message"]


def test_what_outlives_its_request_does_not_speak_for_it(
    make: Make, assistant: Assistant, seed_settings: RagSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    import contextvars

    from rag.api import logs

    kept: list[contextvars.Context] = []
    stream = assistant.stream

    def keeping(*arguments: Any, **options: Any) -> Any:
        kept.append(contextvars.copy_context())
        return stream(*arguments, **options)

    client = make()
    with server_logging(seed_settings), pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant, "stream", keeping)
        client.post("/v1/ask", json={"question": QUESTION})
        capsys.readouterr()
        assert kept[0].run(logs.note, key="x") is False
        kept[0].run(logging.getLogger("rag.later").warning, "later")
    [line] = logged(capsys)
    assert "request_id" not in line


@pytest.mark.parametrize(
    ("form", "is_json"), [("auto", True), ("json", True), ("text", False)], ids=["auto", "json", "text"]
)
def test_the_form_of_the_log(
    make: Make, seed_settings: RagSettings, capsys: pytest.CaptureFixture[str], form: str, is_json: bool
) -> None:
    settings = seed_settings.model_copy(update={"log_format": form})
    client = make()
    with server_logging(settings):
        client.get("/healthz", headers={"x-request-id": "mine"})
        logging.getLogger("some.library").warning("a library's warning")
        logging.getLogger("some.library").info("a library's small talk")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert [line.startswith("{") for line in lines] == [is_json] * 2
    assert "mine" in lines[0]
    assert "/healthz" in lines[0]
    if not is_json:
        assert re.search(
            r" INFO rag\.api\.logs: request request_id=mine method=GET route=/healthz ", lines[0]
        )


def test_the_level_of_the_log(
    make: Make, seed_settings: RagSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    client = make()
    with server_logging(seed_settings.model_copy(update={"log_level": "warning"})):
        client.get("/healthz")
        logging.getLogger("rag.x").warning("kept")
    assert [line["message"] for line in logged(capsys)] == ["kept"]


def test_logging_is_as_before_afterwards(seed_settings: RagSettings) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("rag").level)
    with server_logging(seed_settings):
        assert root.handlers != before[0]
    assert (list(root.handlers), root.level, logging.getLogger("rag").level) == before


# -- commands and the server as a process


def test_a_command_reaches_the_server_that_asks_for_keys(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_DATA_DIR", str(tmp_path))
    store = KeyStore(tmp_path)
    store.add("reader")
    app = create_app(assistant, seed_settings, keys=store)
    with served(app) as address, own(tmp_path, purpose="rag serve", address=address):
        refused = CliRunner().invoke(cli, ["ask", QUESTION])
        assert refused.exit_code == 1
        assert "RAG_SERVER_KEY" in refused.stderr
        with store.command_key():
            asked = CliRunner().invoke(cli, ["ask", "--json", QUESTION])
        assert asked.exit_code == 0, asked.output
        assert json.loads(asked.stdout)["question"] == QUESTION


_PROGRAM = """
from rag.settings import load_settings
from ui.server import serve
serve(load_settings(), ready=lambda address: print(address, flush=True))
"""


def test_a_server_for_others(
    seed_settings: RagSettings, tmp_path: Path, make_data_dir: Callable[[Path], Path]
) -> None:
    """One process from start to stop: it listens everywhere, asks for the key, logs, and stops in order."""
    data_dir = make_data_dir(tmp_path / "data")
    for path in seed_settings.index.data_dir.iterdir():
        if path.is_file():
            shutil.copy(path, data_dir)
    store = KeyStore(data_dir)
    secret = store.add("reader")
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, "RAG_DATA_DIR": str(data_dir), "RAG_PORT": "0", "RAG_HOST": "0.0.0.0"},  # noqa: S104
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    if not address:
        raise AssertionError(process.communicate()[1])
    assert address.startswith("http://127.0.0.1:"), "where this machine's commands reach it"
    key = {"authorization": f"Bearer {secret}"}
    with httpx.Client(base_url=address, timeout=60) as client:
        assert client.get("/healthz").status_code == 200
        for path in ("/", "/v1/documents", "/readyz", "/metrics", "/docs"):
            assert client.get(path).status_code == 401, path
        assert client.post("/v1/ask", json={"question": UNANSWERED}, headers=key).json()["refused"]
        elsewhere = {**key, "host": "docs.example.org"}
        assert client.get("/v1/documents", headers=elsewhere).status_code == 200
        store.revoke("reader")
        assert client.get("/v1/documents", headers=key).status_code == 401
        secret_of_commands = (data_dir / COMMAND_NAME).read_text()
        body = {"question": UNANSWERED, "stream": True}
        with client.stream("POST", "/v1/ask", json=body, headers={"x-api-key": secret_of_commands}) as stream:
            process.send_signal(signal.SIGTERM)
            assert "event: done" in stream.read().decode(), "what was begun is finished"
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    lines = [json.loads(line) for line in errors.splitlines()]
    assert {line["level"] for line in lines} == {"INFO"}, errors
    assert any(line["logger"].startswith("uvicorn") for line in lines), "the library's lines go the same way"
    asked = [line for line in lines if line.get("route") == "/v1/ask"]
    assert [(line["key"], line["refused"], line["status"]) for line in asked] == [
        ("reader", True, 200),
        ("rag command", True, 200),
    ]
    for untold in ("Reykjavik", secret, secret_of_commands):
        assert untold not in errors
    assert not (data_dir / COMMAND_NAME).exists()


def test_the_page_is_served_with_its_headers(
    assistant: Assistant, seed_settings: RagSettings, tmp_path: Path
) -> None:
    app = build_app(assistant, seed_settings, keys=KeyStore(tmp_path))
    with TestClient(app, base_url=HERE) as client:
        page = client.get("/")
        assert page.headers["cross-origin-opener-policy"] == "same-origin"
        assert page.headers["cross-origin-resource-policy"] == "same-origin"
        assert client.get("/v1/documents").headers["cache-control"] == "no-store"
