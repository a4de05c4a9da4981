"""Fixtures for tests of the API.

    app              session   the API over the shipped documents, without keys
    client           session   a client of it, in this process
    guarded          session   the whole server with a read and a write key; see keyed.py
    guarded_address  session   where it is served, over a real socket
    visitor          function  a client of it without a key (and with cookies of its own)
    make             function  function: a client of a new API with other settings

Keys that a test adds to `guarded` it revokes; its two stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi.testclient import TestClient
from keyed import Keyed
from loopback import served

from rag.api import create_app
from rag.keys import KeyStore
from ui.server import build_app

if TYPE_CHECKING:
    from fastapi import FastAPI
    from operation import Make

    from rag.assistant import Assistant
    from rag.settings import RagSettings

HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def app(assistant: Assistant, seed_settings: RagSettings) -> FastAPI:
    """The API over the shipped documents, without keys."""
    return create_app(assistant, seed_settings)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    """A client of it, in this process."""
    with TestClient(app, base_url=HERE) as opened:
        yield opened


@pytest.fixture(scope="session")
def guarded(
    assistant: Assistant, seed_settings: RagSettings, tmp_path_factory: pytest.TempPathFactory
) -> Keyed:
    """The whole server with a read and a write key."""
    store = KeyStore(tmp_path_factory.mktemp("keys"))
    made = {scope: store.add(f"a {scope} key", scope=scope) for scope in ("read", "write")}
    settings = seed_settings.model_copy(update={"rate_limit": "off"})
    return Keyed(build_app(assistant, settings, keys=store), store, made["read"], made["write"])


@pytest.fixture(scope="session")
def guarded_address(guarded: Keyed) -> Iterator[str]:
    """Where `guarded` is served, over a real socket."""
    with served(guarded.app) as found:
        yield found


@pytest.fixture
def visitor(guarded_address: str) -> Iterator[httpx.Client]:
    """A client of `guarded` without a key."""
    with httpx.Client(base_url=guarded_address, timeout=60) as opened:
        yield opened


@pytest.fixture
def make(assistant: Assistant, seed_settings: RagSettings, tmp_path: Path) -> Iterator[Make]:
    """A function that makes a client of a new API with these settings; without keys unless given."""
    opened: list[TestClient] = []

    def made(*, keys: KeyStore | None = None, **changes: Any) -> TestClient:
        settings = seed_settings.model_copy(update=changes)
        app = create_app(assistant, settings, keys=keys or KeyStore(tmp_path / "none"))
        client = TestClient(app, base_url=HERE, follow_redirects=False)
        opened.append(client.__enter__())
        return client

    yield made
    for client in opened:
        client.__exit__(None, None, None)
