"""Slow and broken clients over real sockets: what they are told, when they are left, and that others are served."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, Response

from rag.api import problems
from rag.api.guard import Guard
from ui.connections import bounded

MOST = 8
HEAD_SECONDS = 2.0
BODY_SECONDS = 0.5


def counting() -> FastAPI:
    app = FastAPI()
    problems.install(app)

    @app.post("/")
    async def count(request: Request) -> Response:
        return Response(str(len(await request.body())))

    return app


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a server with short deadlines."""
    app = Guard(counting(), body_seconds=BODY_SECONDS)
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        http = bounded(most=MOST, head_seconds=HEAD_SECONDS)
        config = uvicorn.Config(app, http=http, ws="none", log_config=None, access_log=False, lifespan="off")  # type: ignore[arg-type]
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


def opened(port: int, sent: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.sendall(sent)
    return connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until the server closes it."""
    with connection:
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n"


def test_half_a_head_is_left_in_time(port: int) -> None:
    began = time.monotonic()
    assert rest(opened(port, HEAD)) == b""
    assert HEAD_SECONDS * 0.9 < time.monotonic() - began < 20


def test_a_head_that_comes_in_drops_is_left_too(port: int) -> None:
    began = time.monotonic()
    with opened(port, HEAD) as connection, pytest.raises(OSError):
        while time.monotonic() - began < 20:
            connection.sendall(b"X: y\r\n")
            time.sleep(0.1)


def test_half_a_body_is_answered_in_time(port: int) -> None:
    answer = rest(opened(port, HEAD + b"\r\n12345"))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert json.loads(answer.split(b"\r\n\r\n")[1])["type"] == "urn:polycite:problem:too-slow"


def test_more_connections_than_may_be_keep_nobody_out(port: int, caplog: pytest.LogCaptureFixture) -> None:
    with ExitStack() as stalled, caplog.at_level(logging.WARNING, "ui.connections"):
        for _ in range(4 * MOST):
            stalled.enter_context(opened(port, HEAD))
        began = time.monotonic()
        assert httpx.post(f"http://127.0.0.1:{port}/", content=b"1234567890", timeout=30).text == "10"
        assert time.monotonic() - began < HEAD_SECONDS, "served before any deadline"
    told = [record.getMessage() for record in caplog.records]
    assert len(told) == 1
    assert f"{MOST} connections are open" in told[0]


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00", "Invalid HTTP", id="TLS"),
        pytest.param(b"GET\r\n\r\n", "Invalid HTTP", id="half a line"),
        pytest.param(HEAD + b"X: " + b"y" * 70_000, "larger than 65,536 bytes", id="a long head"),
    ],
)
def test_what_is_no_http_is_answered_with_a_problem(port: int, sent: bytes, said: str) -> None:
    head, body = rest(opened(port, sent)).split(b"\r\n\r\n", 1)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in head
    problem = json.loads(body)
    assert (problem["type"], problem["status"]) == ("urn:polycite:problem:malformed", 400)
    assert said in problem["detail"]
