"""What a server for others needs: readiness, other sites' pages, and the server as a process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from loopback import served
from operation import QUESTION, UNANSWERED, Make, numbers

from index.errors import IndexDamaged
from index.ownership import own
from rag.api import create_app
from rag.keys import COMMAND_NAME, KeyStore
from rag.settings import RagSettings
from ui.cli import cli
from ui.server import build_app

if TYPE_CHECKING:
    from rag.assistant import Assistant

HERE = "http://127.0.0.1:8000"


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
        for place in ("/", "/v1/documents", "/readyz", "/metrics", "/docs"):
            assert client.get(place).status_code == 401, place
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
