"""`rag serve` as a process: ready, reachable, alone on its data directory, and gone when told to stop."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from index.errors import IndexBusy, IndexMissing, UsageError
from index.ownership import own, owner, owner_address
from index.settings import IndexSettings
from rag.keys import is_loopback
from rag.settings import RagSettings
from ui import server

if TYPE_CHECKING:
    from collections.abc import Mapping

QUESTION = "How many open data sets has the city of Can Tho published?"
START_SECONDS = 120

# As the command line does it, without its output.
_PROGRAM = """
from rag.settings import load_settings
from ui.server import serve
serve(load_settings(), ready=lambda address: print(address, flush=True))
"""


def settings_for(data_dir: Path, *, host: str = "127.0.0.1", port: int = 0) -> RagSettings:
    index = IndexSettings(data_dir=data_dir, _env_file=None)
    return RagSettings(index=index, host=host, port=port, _env_file=None)


class Running:
    """A server in a process of its own."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str]) -> None:
        self.data_dir = data_dir
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, "RAG_DATA_DIR": str(data_dir), "RAG_PORT": "0", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()  # "" when it ended before it was ready
        if not self.address:
            raise AssertionError(self.process.communicate()[1])

    @property
    def port(self) -> int:
        return int(self.address.rsplit(":", 1)[1])

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float, str]:
        """Send a signal: exit code, seconds until the end, stderr."""
        started = time.monotonic()
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=START_SECONDS)
        return self.process.returncode, time.monotonic() - started, errors


@pytest.fixture(scope="module")
def indexed(
    seed_settings: RagSettings,
    tmp_path_factory: pytest.TempPathFactory,
    make_data_dir: Callable[[Path], Path],
) -> Path:
    """A data directory of this module's own with the shipped documents indexed."""
    folder = make_data_dir(tmp_path_factory.mktemp("server") / "data")
    for path in seed_settings.index.data_dir.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def running(indexed: Path) -> Iterator[Running]:
    found = Running(indexed, {})
    yield found
    if found.process.poll() is None:
        found.stop()


def test_it_answers_where_it_says(running: Running) -> None:
    assert running.address.startswith("http://127.0.0.1:")
    assert httpx.get(f"{running.address}/readyz", timeout=60).json()["status"] == "ready"
    body = httpx.post(f"{running.address}/v1/ask", json={"question": QUESTION}, timeout=60).json()
    assert body["citations"]
    assert httpx.get(running.address, timeout=60).headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("method", ["DELETE", "TRACE", "QUERY"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/ask", "/v1/documents"])
def test_the_page_answers_nothing_of_the_api(running: Running, method: str, path: str) -> None:
    response = httpx.request(method, f"{running.address}{path}", timeout=60)
    assert response.status_code == 405
    assert response.json()["type"] == "urn:polycite:problem:method-not-allowed"


def test_it_owns_its_data_directory(running: Running) -> None:
    assert owner_address(running.data_dir) == running.address
    found = owner(running.data_dir)
    assert found is not None
    assert (found.pid, found.purpose) == (running.process.pid, "rag serve")
    with pytest.raises(IndexBusy, match="rag serve"):
        server.serve(settings_for(running.data_dir))


def test_a_busy_port_is_named_with_its_remedy(running: Running, data_dir: Path) -> None:
    with pytest.raises(UsageError, match=f"port {running.port} .*RAG_PORT"):
        server.serve(settings_for(data_dir, port=running.port))
    assert owner(data_dir) is None, "the directory is free again"


def test_a_stream_comes_over_the_wire(running: Running) -> None:
    body = {"question": QUESTION, "stream": True}
    with httpx.stream("POST", f"{running.address}/v1/ask", json=body, timeout=60) as response:
        lines = [line for line in response.iter_lines() if line.startswith("event: ")]
    assert lines[-2:] == ["event: answer", "event: done"]
    assert set(lines[:-2]) == {"event: token"}


@pytest.mark.parametrize(
    ("host", "status"), [("127.0.0.1", 200), ("localhost", 200), ("[::1]", 200), ("rebound.example", 421)]
)
def test_the_host_header_over_the_wire(running: Running, host: str, status: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=60)
    connection.request("GET", "/healthz", headers={"Host": f"{host}:{running.port}"})
    response = connection.getresponse()
    assert response.status == status
    assert response.getheader("Server") is None
    connection.close()


def test_a_client_that_leaves_does_no_harm(running: Running) -> None:
    body = json.dumps({"question": QUESTION, "stream": True})
    kind = ("Content-Type: application/json", f"Content-Length: {len(body)}")
    head = ["POST /v1/ask HTTP/1.1", "Host: 127.0.0.1", *kind]
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", running.port)) as connection:
            connection.sendall("\r\n".join([*head, "", body]).encode())
    assert httpx.get(f"{running.address}/readyz", timeout=60).status_code == 200


def test_a_stop_ends_open_pages_and_leaves_nothing_behind(running: Running) -> None:
    """The last test of this server: it ends it, with a page open as a browser keeps it."""
    with httpx.stream("GET", f"{running.address}/gradio_api/heartbeat/test") as page:
        assert page.status_code == 200
        code, seconds, errors = running.stop(signal.SIGINT)
    assert code == 0
    levels = {json.loads(line)["level"] for line in errors.splitlines()}
    assert levels == {"INFO"}, errors
    assert seconds < 20  # promised is 10; the machine may be busy
    assert owner(running.data_dir) is None
    assert not (running.data_dir / "owner.json").exists()


# -- what is refused before anything slow


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "::", "192.168.1.5", "example.org", "", "127.0.0.1.example.org"],  # noqa: S104 - to be refused
)
def test_it_listens_on_this_machine_only(data_dir: Path, host: str) -> None:
    with pytest.raises(UsageError, match=r"RAG_HOST=.*without API keys.*127\.0\.0\.1"):
        server.serve(settings_for(data_dir, host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "localhost", "::1"])
def test_the_addresses_of_this_machine(host: str) -> None:
    assert is_loopback(host)


def test_an_empty_directory_wants_an_index(data_dir: Path) -> None:
    with pytest.raises(IndexMissing, match="rag index"):
        server.serve(settings_for(data_dir))
    assert owner(data_dir) is None


def test_an_index_is_made_first_while_the_directory_is_held(data_dir: Path) -> None:
    class ReachedError(Exception):
        pass

    def index_first() -> None:
        with pytest.raises(IndexBusy), own(data_dir, purpose="rag index"):
            pass
        raise ReachedError

    with pytest.raises(ReachedError):
        server.serve(settings_for(data_dir), index_first=index_first)
