"""kill -9 of the whole program: a new server goes on with the uploads that the killed one acknowledged.

What is on the disk when, at random points of uploads and deletions: test_faults_kill.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from index.settings import IndexSettings
from index.upkeep import make_index

if TYPE_CHECKING:
    from index.embedder import Embedder

ROOT = Path(__file__).resolve().parents[2]
DONE_SECONDS = 180


def content(number: int) -> bytes:
    return " ".join(
        f"Sentence {i} of report {number} is about {i * number} sacks." for i in range(40)
    ).encode()


def test_a_killed_server_goes_on_with_its_uploads(
    tmp_path: Path, make_data_dir: Callable[[Path], Path], embedder: Embedder
) -> None:
    """The whole program, with its own model, over HTTP."""
    seeds = tmp_path / "shipped"
    seeds.mkdir()
    (seeds / "a.txt").write_text("The harbour of Tellmouth was dredged in 1987.", "utf-8")
    data_dir = make_data_dir(tmp_path / "data")
    settings = IndexSettings(data_dir=data_dir, seeds_dir=seeds, _env_file=None)
    make_index(settings, [seeds], embedder=embedder)
    first, address = served(settings)
    lighthouse = b"The lighthouse of Morrowick has 214 steps and was built in 1843."
    files = [("files", (f"{i}.txt", content(i))) for i in range(4)]
    files.append(("files", ("lighthouse.txt", lighthouse)))
    response = httpx.post(f"{address}/v1/documents", files=files, timeout=60)
    first.kill()
    first.communicate()
    assert response.status_code == 202

    second, address = served(settings)
    try:
        until = time.monotonic() + DONE_SECONDS
        while (job := httpx.get(f"{address}{response.headers['location']}", timeout=60).json())[
            "state"
        ] != "done":
            assert time.monotonic() < until
            time.sleep(0.2)
        assert {file["state"] for file in job["files"]} == {"indexed"}
        question = {"question": "How many steps does the lighthouse of Morrowick have?"}
        cited = httpx.post(f"{address}/v1/ask", json=question, timeout=60).json()["citations"]
        assert cited[0]["document_id"] == job["files"][-1]["document_id"]
        # One small file that takes long to read keeps nobody waiting, the end of the server neither.
        slow = "".join(f"{number} mill\n" for number in range(100_000)).encode()
        httpx.post(f"{address}/v1/documents", files={"files": ("slow.txt", slow)}, timeout=60)
        waits = sorted(alive(address) for _ in range(9))
        assert waits[4] < 1, waits
    finally:
        began = time.monotonic()
        second.terminate()
        errors = second.communicate(timeout=DONE_SECONDS)[1]
    assert time.monotonic() - began < 10
    assert second.returncode == 0, errors


def alive(address: str) -> float:
    """Seconds until a server says that it is alive."""
    began = time.monotonic()
    assert httpx.get(f"{address}/healthz", timeout=60).status_code == 200
    time.sleep(0.2)
    return time.monotonic() - began - 0.2


_PROGRAM = """
from rag.settings import load_settings
from ui.server import serve
serve(load_settings(), ready=lambda address: print(address, flush=True))
"""


def served(settings: IndexSettings) -> tuple[subprocess.Popen[str], str]:
    """A server in a process of its own, and its address."""
    own = {"RAG_DATA_DIR": str(settings.data_dir), "RAG_SEEDS_DIR": str(settings.seeds_dir), "RAG_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        env={**os.environ, **own},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    address = process.stdout.readline().strip()
    assert address, process.communicate()[1]
    return process, address
