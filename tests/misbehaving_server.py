"""A small real server that speaks OpenAI's chat protocol, and breaks it on request.

with ModelServer() as server:
    server.behave("busy", good("There are ", "540 [1]."))   # the next calls, in turn; the last one stays
    ... RAG_LLM_BASE_URL=server.url ...
    server.requests[0]["messages"], server.headers[0], server.disconnected.wait(5)
"""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

Kind = Literal[
    "good",  # streams its pieces
    "empty",  # says that it is done, without text
    "slow-start",  # accepts the call and says nothing
    "slow-between",  # streams its pieces and then says nothing
    "only-comments",  # keeps the line open with comments
    "endless",  # streams and never stops
    "never-says-goodbye",  # streams its pieces and the end, and keeps the line open
    "cut",  # streams its pieces and drops the connection
    "ended-early",  # streams its pieces and ends the reply properly, without the model's end
    "hang-up",  # drops the connection before the reply
    "broken-json",  # streams a line that is no JSON
    "other-json",  # streams JSON of another shape
    "page",  # a web page
    "error-inside",  # streams its pieces and then an error
    "busy",  # 429
    "loading",  # 503
    "failed",  # 500
    "too-long",  # 400
    "moved",  # 302
    "key",  # 401
    "forbidden",  # 403
    "unknown-model",  # 404
]
STATUS: dict[Kind, int] = {
    "busy": 429, "loading": 503, "failed": 500, "too-long": 400, "key": 401, "forbidden": 403, "unknown-model": 404,
}  # fmt: skip
Pieces = Sequence[str] | Callable[[list[dict[str, Any]]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Script:
    """What one call gets.

    `pieces` may be a function of the messages. `pause_s` lies before each piece but the first; `gate`, where there is
    one, is waited for there instead.
    """

    kind: Kind
    pieces: Pieces = ("An ", "answer.")
    pause_s: float = 0.0
    gate: threading.Event | None = None


def good(*pieces: str, pause_s: float = 0.0, gate: threading.Event | None = None) -> Script:
    """A script that streams these pieces."""
    return Script("good", pieces, pause_s, gate)


class ModelServer:
    """The server, listening on a free port of loopback between `with` and its end.

    Attributes:
        requests: the body of each call to the chat endpoint, in order.
        headers: the headers of each, names in lower case.
        paths: the path of each.
        asked: set when a call has come.
        disconnected: set when a client closed a connection before its reply was complete.
    """

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.paths: list[str] = []
        self.asked = threading.Event()
        self.disconnected = threading.Event()
        self.ending = threading.Event()
        self._scripts = [Script("good")]
        self._lock = threading.Lock()
        self._http: ThreadingHTTPServer | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """What RAG_LLM_BASE_URL is set to."""
        return f"http://127.0.0.1:{self._port}/v1"

    def behave(self, *scripts: Script | Kind) -> None:
        """What the next calls get, in turn; the last script stays for all further ones."""
        with self._lock:
            self._scripts = [one if isinstance(one, Script) else Script(one) for one in scripts]

    def __enter__(self) -> Self:
        self.come_up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.ending.set()
        self.go_down()

    def come_up(self) -> None:
        """Listen, on the same port as before."""
        handler = type("Handler", (_Handler,), {"model": self})
        self._http = _Quiet(("127.0.0.1", self._port), handler)
        self._port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def go_down(self) -> None:
        """Refuse connections."""
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
            self._http = None

    def next_script(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Script:
        """Record a call; what it gets."""
        with self._lock:
            self.requests.append(body)
            self.headers.append(headers)
            self.paths.append(path)
            script = self._scripts[0]
            self._scripts = self._scripts[1:] or [script]
        self.asked.set()
        return script


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left is no news here."""


class _Left(Exception):
    """The client closed its connection."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ModelServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Nothing on the terminal."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        headers = {name.lower(): value for name, value in self.headers.items()}
        script = self.model.next_script(self.path, headers, body)
        try:
            self._reply(script, body)
        except (_Left, ConnectionError):
            self.model.disconnected.set()
            self.close_connection = True

    def _reply(self, script: Script, body: dict[str, Any]) -> None:
        kind = script.kind
        if kind in STATUS:
            self._refuse(STATUS[kind], body)
        elif kind == "moved":
            self.send_response(302)
            self.send_header("Location", f"{self.model.url}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif kind == "page":
            self._whole(200, "text/html", "<html><title>Welcome</title></html>")
        elif kind == "hang-up":
            self._drop()
        elif kind == "slow-start":
            self._wait(3600)
        else:
            self._stream(script, body)

    def _refuse(self, status: int, body: dict[str, Any]) -> None:
        """An error as servers write them, which repeats what it was sent."""
        said = f"refused: {self.headers.get('authorization')} {json.dumps(body, ensure_ascii=False)}"
        error = {"error": {"message": said, "type": "some_error", "code": "some_code"}}
        self._whole(status, "application/json", json.dumps(error))

    def _whole(self, status: int, media_type: str, text: str) -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        if status == 429:
            self.send_header("Retry-After", "30")
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, script: Script, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._event(_delta(role="assistant", content=""))
        if script.kind not in {"empty", "only-comments", "broken-json", "other-json"}:
            pieces = script.pieces if not callable(script.pieces) else script.pieces(body["messages"])
            for number, piece in enumerate(pieces):
                if number:
                    self._pause(script)
                self._event(_delta(content=piece))
        self._finish(script.kind)

    def _finish(self, kind: Kind) -> None:
        if kind == "cut":
            self._drop()
            return
        if kind == "slow-between":
            self._wait(3600)
        if kind == "only-comments":
            while True:
                self._chunk(": still here\n\n")
                self._wait(0.02)
        if kind == "endless":
            while True:
                self._event(_delta(content="and on "))
                self._wait(0.001)
        if kind == "broken-json":
            self._chunk('data: {"choices": [{"delta": \n\n')
        if kind == "other-json":
            self._chunk('data: {"choices": "none", "text": ["no", "such", "thing"]}\n\n')
        if kind == "error-inside":
            self._chunk('data: {"error": {"message": "out of memory", "code": "oom"}}\n\n')
        if kind in {"good", "empty", "never-says-goodbye"}:
            self._event(_delta(finish="stop"))
        if kind == "never-says-goodbye":
            self._wait(3600)
        self._chunk("data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")

    def _event(self, value: dict[str, Any]) -> None:
        self._chunk(f"data: {json.dumps(value)}\n\n")

    def _chunk(self, text: str) -> None:
        content = text.encode()
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def _pause(self, script: Script) -> None:
        if script.gate is None:
            self._wait(script.pause_s)
        else:
            while not script.gate.wait(0.005):
                self._wait(0.005)

    def _wait(self, seconds: float) -> None:
        """Wait, and notice a client that leaves or the end of the test."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.02))
            if self.model.ending.is_set() or (readable and not self.connection.recv(1, socket.MSG_PEEK)):
                raise _Left

    def _drop(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _delta(
    *, role: str | None = None, content: str | None = None, finish: str | None = None
) -> dict[str, Any]:
    said = {name: value for name, value in (("role", role), ("content", content)) if value is not None}
    choice = {"index": 0, "delta": said, "finish_reason": finish}
    return {
        "id": "chat-1", "object": "chat.completion.chunk", "created": 0, "model": "served", "choices": [choice],
    }  # fmt: skip
