"""A real Chroma server on loopback for tests, which can be stopped and started."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

_READY_SECONDS = 180


class ChromaForTests:
    """A server that keeps its port and its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = shutil.which("chroma", path=str(Path(sys.executable).parent)) or "chroma"
        arguments = ["run", "--path", str(self.folder), "--host", "127.0.0.1", "--port", str(self._port)]
        self._process = subprocess.Popen(
            [command, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + _READY_SECONDS
        while not self._answers():
            assert time.monotonic() < end, "chroma run does not answer"
            time.sleep(0.1)

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=_READY_SECONDS)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v2/heartbeat", timeout=10).is_success
        except httpx.HTTPError:
            return False
