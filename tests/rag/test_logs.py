"""Request ids and the log: a line for each request, and nothing untold in it."""

from __future__ import annotations

import json
import logging
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from operation import QUESTION, UNANSWERED, Make

from rag.api.logs import server_logging
from rag.keys import KeyStore
from rag.settings import RagSettings

if TYPE_CHECKING:
    from rag.assistant import Assistant


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


def test_nobody_writes_a_line_of_the_log_but_the_server(
    seed_settings: RagSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    foreign = "name\n2026-01-31 12:00:00 INFO rag: forged\x1b[2J\r\x9b31m\u2028\u202e"
    for kind in ("text", "json"):
        with server_logging(seed_settings.model_copy(update={"log_format": kind})):
            log = logging.getLogger("rag.api.logs")
            log.warning("a file: %s", foreign)
            try:
                raise ValueError(foreign)
            except ValueError:
                log.exception("it failed")
    lines = capsys.readouterr().err.splitlines()
    assert not [line for line in lines if line.startswith("2026-01-31 12:00:00 INFO rag: forged")]
    assert not set("\x1b\x9b\u202e") & set("".join(lines))
    assert sum("forged" in line for line in lines) == 4, lines
