"""Fixtures for tests of the API, and of the language model's client.

    app              session   the API over the shipped documents, without keys
    client           session   a client of it, in this process
    guarded          session   the whole server with a read and a write key; see keyed.py
    guarded_address  session   where it is served, over a real socket
    visitor          function  a client of it without a key (and with cookies of its own)
    make             function  function: a client of a new API with other settings
    upload_settings  module    RagSettings of a data directory with two documents, and limits that tests can reach
    open_service     module    the server of uploading.py over it
    upload_service   function  the same without uploaded documents, before and after
    llm_server       function  a server of a language model that misbehaves on request, as if new
    llm_model        function  its client
    hasty_model      function  its client, which gives it a third of a second for each piece
    judge            session   the judge of claims that is shipped

Keys that a test adds to `guarded` it revokes; its two stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi.testclient import TestClient
from keyed import Keyed
from llm_calls import opened
from loopback import served
from misbehaving_server import ModelServer
from uploading import SHIPPED, Service

from index.settings import IndexSettings
from index.upkeep import make_index
from rag.api import create_app
from rag.keys import KeyStore
from rag.settings import RagSettings
from ui.server import build_app

if TYPE_CHECKING:
    from fastapi import FastAPI
    from operation import Make

    from index.embedder import Embedder
    from rag.assistant import Assistant
    from rag.llm.client import LanguageModel
    from rag.reader.openvino_judge import Judge

HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="session")
def judge() -> Judge:
    from rag.reader.openvino_judge import Judge  # a second: only for the tests that need it
    from rag.settings import BUNDLED_JUDGE

    return Judge.load(BUNDLED_JUDGE)


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


@pytest.fixture(scope="session")
def _llm_running() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


@pytest.fixture
def llm_server(_llm_running: ModelServer) -> ModelServer:
    """The server as if new."""
    _llm_running.behave("good")
    _llm_running.requests.clear()
    _llm_running.headers.clear()
    _llm_running.asked.clear()
    _llm_running.disconnected.clear()
    return _llm_running


@pytest.fixture
def llm_model(llm_server: ModelServer) -> Iterator[LanguageModel]:
    """A model whose server has time."""
    with_patience = opened(llm_server)
    yield with_patience
    with_patience.close()


@pytest.fixture
def hasty_model(llm_server: ModelServer) -> Iterator[LanguageModel]:
    """A model whose server has a third of a second for each piece."""
    without_patience = opened(llm_server, timeout_s=0.3)
    yield without_patience
    without_patience.close()


@pytest.fixture(scope="module")
def upload_settings(
    tmp_path_factory: pytest.TempPathFactory,
    make_data_dir: Callable[[Path], Path],
    embedder: Embedder,
) -> RagSettings:
    """Settings of a data directory with two shipped documents, and limits that tests can reach."""
    root = tmp_path_factory.mktemp("uploads")
    seeds = root / "shipped"
    seeds.mkdir()
    for name, text in SHIPPED.items():
        (seeds / name).write_text(text, "utf-8")
    index = IndexSettings(
        data_dir=make_data_dir(root / "data"), seeds_dir=seeds, max_file_mb=2, read_seconds=15, _env_file=None
    )
    make_index(index, [seeds], embedder=embedder)
    return RagSettings(index=index, max_upload_mb=8, max_upload_files=60, _env_file=None)


@pytest.fixture(scope="module")
def open_service(upload_settings: RagSettings, embedder: Embedder) -> Iterator[Service]:
    """The server."""
    found = Service(upload_settings, embedder)
    yield found
    found.close()


@pytest.fixture
def upload_service(open_service: Service) -> Iterator[Service]:
    """The service without uploaded documents, before and after."""
    yield open_service
    open_service.delete_all()
    assert not list(open_service.folder.glob("*"))
