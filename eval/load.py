"""How a running server holds up: throughput and latency at several numbers of clients, and its memory over time.

    python -m eval.load http://127.0.0.1:8000 [--clients 1,8,32,128] [--seconds 20] [--steady 0] [--pid N]

Each client asks one question after the other (POST /v1/ask, the extractive engine), the questions of the gold set in
turn. A 503 with `Retry-After` is the server's way of saying that it is full: such answers are counted on their own, and
the client comes back after a second. Anything else but 200 is an error. Meanwhile /healthz is asked ten times a second:
how long it takes says whether the event loop is ever blocked. Addresses beyond this machine are refused.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import click
import httpx
import numpy as np

from eval.cases import GOLD, read_cases
from index.errors import UsageError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_PAUSE_SECONDS = 1.0
_SAMPLES_A_MINUTE = 6
_LONGEST_SECONDS = 900


@dataclass(slots=True)
class Load:
    """What some clients saw: seconds of each answer and of each /healthz, and how every request ended."""

    clients: int
    seconds: float = 0.0
    took: list[float] = field(default_factory=list)
    alive: list[float] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)

    def row(self) -> str:
        """A row of the Markdown table."""
        times = np.array(self.took or [0.0]) * 1000
        p50, p95, p99 = (f"{np.percentile(times, part):,.0f}" for part in (50, 95, 99))
        errors = sum(n for name, n in self.ended.items() if name not in {"200", "503 come back"})
        rate = len(self.took) / self.seconds if self.seconds else 0.0
        alive = f"{np.percentile(np.array(self.alive or [0.0]) * 1000, 99):,.0f}"
        return (
            f"| {self.clients} | {rate:.1f} | {p50} | {p95} | {p99} | {alive} | {len(self.took):,} | "
            f"{self.ended['503 come back']:,} | {errors} |"
        )


HEADER = (
    "| clients | answers a second | p50 ms | p95 ms | p99 ms | /healthz p99 ms | answers | sent away | errors |\n"
    "|---|---|---|---|---|---|---|---|---|"
)


async def load(url: str, questions: Sequence[str], *, clients: int, seconds: float) -> Load:
    """Ask with so many clients for so long.

    Raises:
        UsageError: the URL is not one of this machine.
    """
    if urlsplit(url).hostname not in _LOOPBACK:
        raise UsageError(f"{url} is not on this machine: load is put on 127.0.0.1 only")
    found = Load(clients)
    turn = itertools.cycle(questions)
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    started = time.monotonic()
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=120, trust_env=False) as client:
        until = started + seconds
        await asyncio.gather(
            *(_one(client, turn, until, found) for _ in range(clients)), _ping(url, until, found)
        )
    found.seconds = time.monotonic() - started
    return found


async def _one(client: httpx.AsyncClient, turn: Iterator[str], until: float, found: Load) -> None:
    while (begun := time.monotonic()) < until:
        body = {"question": next(turn), "engine": "extractive"}
        try:
            response = await client.post("/v1/ask", json=body)
        except httpx.HTTPError as error:
            found.ended[type(error).__name__] += 1
            await asyncio.sleep(_PAUSE_SECONDS)
            continue
        full = response.status_code == 503 and "retry-after" in response.headers
        found.ended["503 come back" if full else str(response.status_code)] += 1
        if response.status_code == 200:
            found.took.append(time.monotonic() - begun)
        else:
            await asyncio.sleep(_PAUSE_SECONDS)


async def _ping(url: str, until: float, found: Load) -> None:
    """Ask whether the server is alive, on a connection of its own."""
    async with httpx.AsyncClient(base_url=url, timeout=120, trust_env=False) as client:
        while (begun := time.monotonic()) < until:
            (await client.get("/healthz")).raise_for_status()
            found.alive.append(time.monotonic() - begun)
            await asyncio.sleep(0.1)


async def steady(url: str, questions: Sequence[str], *, pid: int, seconds: float) -> list[tuple[float, int]]:
    """The memory of a process while eight clients ask: (seconds since the start, resident bytes)."""
    begun = time.monotonic()
    asking = asyncio.create_task(load(url, questions, clients=8, seconds=seconds))
    found = []
    while not asking.done():
        found.append((time.monotonic() - begun, _resident(pid)))
        await asyncio.sleep(60 / _SAMPLES_A_MINUTE)
    await asking
    return found


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@click.command()
@click.argument("url")
@click.option("--clients", default="1,8,32,128", show_default=True, help="Numbers of clients, in turn.")
@click.option("--seconds", default=20.0, show_default=True, type=click.FloatRange(1, _LONGEST_SECONDS))
@click.option(
    "--steady",
    "minutes",
    default=0.0,
    show_default=True,
    type=click.FloatRange(0, _LONGEST_SECONDS / 60),
    help="Minutes with eight clients in which the memory of --pid is measured; 0: not.",
)
@click.option("--pid", type=int, help="The server's process, for its memory.")
def main(url: str, clients: str, seconds: float, minutes: float, pid: int | None) -> None:
    """Put load on the server at URL, on this machine, and print what it did."""
    questions = [case.question for case in read_cases(GOLD)]
    click.echo(HEADER)
    errors = 0
    for number in clients.split(","):
        found = asyncio.run(load(url, questions, clients=int(number), seconds=seconds))
        click.echo(found.row())
        errors += sum(n for name, n in found.ended.items() if name not in {"200", "503 come back"})
    if minutes and pid:
        samples = asyncio.run(steady(url, questions, pid=pid, seconds=60 * minutes))
        megabytes = [round(size / 1e6) for _, size in samples]
        click.echo(
            f"\nresident memory over {minutes:g} minutes, MB, in six a minute: {json.dumps(megabytes)}"
        )
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
