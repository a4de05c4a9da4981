"""A server under mixed use for minutes: `python -m tests.fuzz.soak [--minutes 10] [--work FOLDER]`.

Askers, readers of streams that leave half-way, uploaders and deleters work side by side on `rag serve` over the shipped
documents; in the middle the server is killed and started again. Printed are its memory, descriptors and threads once
both servers have come to rest and at the end, and what was asked. The command fails on an answer of status 500, on an
upload that was acknowledged and is no document in the end, and when the last server has kept more than `_MOST_KEPT`.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

_PROGRAM = """
from rag.settings import load_settings
from ui.server import serve
serve(load_settings(), ready=lambda address: print(address, flush=True))
"""
_QUESTIONS = (
    "How many open data sets has the city of Can Tho published?",
    "Vad beslutade riksdagen?",
    "नमस्ते",
    "How many sacks does mill 7 grind?",
    "?" * 50,
)
# More descriptors, threads and megabytes than at rest after the first questions. Chosen: pools and caches fill.
_MOST_KEPT = {"descriptors": 40, "threads": 20, "MB": 300}


class Server:
    """`rag serve` in a process of its own."""

    def __init__(self, data_dir: Path) -> None:
        own = {"RAG_DATA_DIR": str(data_dir), "RAG_PORT": "0", "RAG_LOG_FORMAT": "json"}
        if not (data_dir / "catalogue.sqlite3").exists():
            subprocess.run([sys.executable, "-m", "ui.cli", "index"], env={**os.environ, **own}, check=True)
        self._log = (data_dir / "server.log").open("a")
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM],
            env={**os.environ, **own},
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()

    def end(self, *, kill: bool) -> float:
        """Seconds until it was gone."""
        began = time.monotonic()
        (self.process.kill if kill else self.process.terminate)()
        self.process.communicate()
        self._log.close()
        return time.monotonic() - began

    def holds(self) -> dict[str, int]:
        """Its memory, descriptors and threads."""
        proc = Path(f"/proc/{self.process.pid}")
        status = dict(
            line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line
        )
        return {
            "MB": int(status["VmRSS"].split()[0]) // 1000,
            "descriptors": len(list((proc / "fd").iterdir())),
            "threads": int(status["Threads"]),
        }


class Use:
    """What clients do, until `until`."""

    def __init__(self, server: Server, until: float, taken: set[str]) -> None:
        self._server = server
        self._until = until
        self._taken = taken  # acknowledged jobs
        self._random = random.Random(7)
        self.seen: Counter[str] = Counter()

    def run(self) -> None:
        """Return when it is over; a server that is killed meanwhile ends it too."""
        doing: list[Callable[[httpx.Client], None]] = [
            self._ask,
            self._ask,
            self._leave,
            self._upload,
            self._delete,
        ]
        with ThreadPoolExecutor(len(doing)) as pool:
            list(pool.map(self._repeat, doing))

    def _repeat(self, act: Callable[[httpx.Client], None]) -> None:
        with httpx.Client(base_url=self._server.address, timeout=120) as client:
            while time.monotonic() < self._until:
                try:
                    act(client)
                except httpx.TransportError:
                    self._server.process.wait(10)  # killed; else the time runs out, and that is a fault
                    return

    def _note(self, what: str, response: httpx.Response) -> None:
        self.seen[f"{what} {response.status_code}"] += 1

    def _ask(self, client: httpx.Client) -> None:
        self._note("ask", client.post("/v1/ask", json={"question": self._random.choice(_QUESTIONS)}))

    def _leave(self, client: httpx.Client) -> None:
        body = {"question": self._random.choice(_QUESTIONS[:2]), "stream": True}
        with client.stream("POST", "/v1/ask", json=body) as response:
            self._note("stream", response)
            for _ in zip(range(3), response.iter_lines(), strict=False):
                pass

    def _upload(self, client: httpx.Client) -> None:
        number = self._random.randrange(10**9)
        text = f"Report {number}\n\n" + " ".join(f"Mill {number + n} grinds {n} sacks." for n in range(30))
        response = client.post("/v1/documents", files={"files": (f"{number}.txt", text.encode())})
        self._note("upload", response)
        if response.status_code == 202:
            self._taken.add(response.json()["id"])
        time.sleep(1)

    def _delete(self, client: httpx.Client) -> None:
        listed = client.get("/v1/documents", params={"uploaded": "true", "limit": "50"})
        self._note("list", listed)
        for document in listed.json()["documents"][:1]:
            self._note("delete", client.delete(f"/v1/documents/{document['id']}"))
        time.sleep(3)


def main() -> int:
    """Run it, print what was seen, and say whether all is well."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.soak", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--work", type=Path)
    options = parser.parse_args()
    data_dir = options.work or Path(tempfile.mkdtemp(prefix="polycite-soak-"))
    data_dir.mkdir(parents=True, exist_ok=True)
    half, seen = options.minutes * 30, Counter[str]()
    taken: set[str] = set()
    server = Server(data_dir)
    killer = threading.Timer(half, server.process.kill)
    killer.start()
    use = Use(server, time.monotonic() + half * 2, taken)
    use.run()
    seen += use.seen
    server.end(kill=True)
    server = Server(data_dir)
    httpx.post(f"{server.address}/v1/ask", json={"question": _QUESTIONS[0]}, timeout=120)
    before = server.holds()
    use = Use(server, time.monotonic() + half, taken)
    use.run()
    seen += use.seen
    lost = [job for job in taken if not _done(server, job)]
    time.sleep(10)
    after = server.holds()
    seconds = server.end(kill=False)
    print(dict(sorted(seen.items())))  # noqa: T201
    print(f"before {before}, after {after}; a stop took {seconds:.1f} s; lost: {lost}")  # noqa: T201
    kept = {
        name: after[name] - before[name] for name in after if after[name] - before[name] > _MOST_KEPT[name]
    }
    bad = [what for what in seen if what.endswith(" 500")]
    return 1 if kept or bad or lost or seconds > 10 else 0


def _done(server: Server, job_id: str) -> bool:
    """Whether all files of an acknowledged upload came to their end as documents."""
    until = time.monotonic() + 300
    while time.monotonic() < until:
        response = httpx.get(f"{server.address}/v1/documents/jobs/{job_id}", timeout=60)
        if response.status_code == 404:
            return True  # long done: of those the latest 200 are kept
        job = response.json()
        if job["state"] == "done":
            return {file["state"] for file in job["files"]} <= {"indexed", "duplicate"}
        time.sleep(0.5)
    return False


if __name__ == "__main__":
    sys.exit(main())
