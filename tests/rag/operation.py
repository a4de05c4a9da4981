"""What tests of a server for others share: `from operation import held, never_asked, numbers, until, Make`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from rag.assistant import Assistant

QUESTION = "How many open data sets has the city of Can Tho published?"
UNANSWERED = "How many people live in Reykjavik?"
SETS = "/v1/search"
Make = Callable[..., TestClient]


@contextmanager
def held(assistant: Assistant) -> Iterator[tuple[threading.Semaphore, threading.Event]]:
    """Questions are held up where the model begins: released once for each that has come so far, and let go."""
    entered, go = threading.Semaphore(0), threading.Event()
    embed = assistant.embedder.embed_queries

    def waiting(texts: list[str]) -> Any:
        entered.release()
        assert go.wait(120)
        return embed(texts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(assistant.embedder, "embed_queries", waiting)
        try:
            yield entered, go
        finally:
            go.set()


def never_asked() -> str:
    """A question whose vectors no assistant remembers: the model has to work for it."""
    return f"{QUESTION} {uuid4()}"


def until(reached: Callable[[], bool]) -> None:
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def numbers(client: httpx.Client | TestClient, **headers: str) -> dict[tuple[str, ...], float]:
    """/metrics: name and label values, by the names of the labels -> value."""
    text = client.get("/metrics", headers={"accept": "text/plain", **headers}).text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
