"""llama.cpp's own server with a file of weights, in a process of its own, so that it can die as a real one does.

    python -m eval.studies.llama_server FILE.gguf [--context N] [--slots N] [--threads N] [--key KEY] [--endless]

prints its address and serves until its standard input ends.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx

from index.errors import UsageError, WorkError

MODEL = "trial"
"""What the server is asked for; it has one model and takes any name."""

# Loading some hundred megabytes takes seconds, on a machine that is busy with other things a minute. Chosen.
PATIENCE_S = 300.0
# Tokens of a prompt that are read in one go; only between two of them a call that was left is given up. Chosen.
_BATCH = 64


@dataclass(frozen=True, slots=True)
class LlamaServer:
    """A running server.

    Attributes:
        url: what `RAG_LLM_BASE_URL` takes.
        key: what it asks for; "": it asks for none.
    """

    url: str
    process: subprocess.Popen[str]
    key: str = ""

    def busy(self) -> int:
        """How many calls it works on."""
        return [slot["is_processing"] for slot in self._get("slots").json()].count(True)

    def steps(self) -> int:
        """How often it ran the network since it started: once for each token that it wrote, or several at once."""
        lines = self._get("metrics").text.splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("llamacpp:n_decode_total")))

    def becomes(self, *, busy: bool) -> float:
        """Wait until it works, or works on nothing; return the seconds that took.

        Raises:
            WorkError: it does not within five minutes.
        """
        started = time.monotonic()
        while bool(self.busy()) != busy:
            if time.monotonic() - started > PATIENCE_S:
                raise WorkError(f"the server is {'idle' if busy else 'at work'} after {PATIENCE_S:g} s")
            time.sleep(0.02)
        return time.monotonic() - started

    def kill(self) -> None:
        """End it without a word, as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def _get(self, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return httpx.get(f"{self.url.removesuffix('v1')}{path}", headers=headers, timeout=PATIENCE_S)


@contextmanager
def serving(
    weights: Path, *, context: int, slots: int = 1, threads: int = 1, key: str = "", endless: bool = False
) -> Iterator[LlamaServer]:
    """A server for as long as the block runs.

    Args:
        weights: a GGUF file.
        context: tokens of a prompt with its answer, of each slot.
        slots: calls that it works on at once.
        threads: of the processor; they wait for each other, so more than are free make it slow.
        key: what it asks of callers.
        endless: an answer ends at its limit of tokens only.

    Raises:
        UsageError: there is no such file.
        WorkError: it does not start.
    """
    if not weights.is_file():
        raise UsageError(f"{weights} is no file of weights; give the path of a .gguf file")
    options = [f"--context={context}", f"--slots={slots}", f"--threads={threads}", f"--key={key}"]
    command = [sys.executable, "-m", __name__, str(weights), *options, *(["--endless"] if endless else [])]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            line = process.stdout.readline().strip() if process.stdout else ""
            if not line.startswith("http"):
                raise WorkError(line or f"llama.cpp's server did not start on {weights}")
            yield LlamaServer(f"{line}/v1", process, key)
        finally:
            process.kill()


@click.command(help=__doc__)
@click.argument("weights", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--context", default=4096)
@click.option("--slots", default=1)
@click.option("--threads", default=1)
@click.option("--key", default="")
@click.option("--endless", is_flag=True)
def main(weights: Path, **options: Any) -> None:
    """Serve until standard input ends."""
    try:
        import xllamacpp  # of the development extra; 100 MB with llama.cpp inside
    except ImportError:
        click.echo("xllamacpp is not installed: python -m pip install -e '.[dev]'")
        sys.exit(1)
    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx = options["context"] * options["slots"]  # shared out among the slots
    params.n_parallel = options["slots"]
    params.n_batch = params.n_ubatch = _BATCH
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options["threads"]
    params.sampling.ignore_eos = options["endless"]
    params.fit_params = params.warmup = params.ui = False
    params.endpoint_slots = params.endpoint_metrics = True
    params.api_keys = [options["key"]] if options["key"] else []
    params.port = 0
    params.verbosity = -1
    server = xllamacpp.Server(params)
    click.echo(server.listening_address)
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
