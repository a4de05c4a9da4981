"""Fixtures that every test may use.

    model_dir       session   folder with the bundled model, rebuilt once and kept between runs
    embedder        session   the bundled model, loaded once
    make_data_dir   session   function: makes a folder into an empty data directory that shares the model
    data_dir        function  an empty data directory that shares the model
    index_of        session   function: indexes texts in a data directory of their own and returns its IndexSettings
    seed_settings   session   RagSettings whose data directory holds the indexed seeds; do not write to it
    assistant       session   the open Assistant on that index
    postgres        session   a PostgreSQL server on loopback; skips the test where there is none

Texts in many scripts and hostile ones: `from texts import MULTI_SCRIPT, HOSTILE, by_id`.

Without asking, every test runs without `RAG_` settings of the machine, with the model hub off line, and with
every network address but loopback refused: the error names the address.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
from pytest_socket import SocketConnectBlockedError, socket_allow_hosts

from index.settings import IndexSettings
from rag.settings import RagSettings

if TYPE_CHECKING:
    from postgres_server import PostgresForTests

    from index.embedder import Embedder
    from rag.assistant import Assistant

LOOPBACK = ["127.0.0.1", "::1", "localhost"]

# Before any library is imported that reads them; child processes inherit them.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
for _name in [name for name in os.environ if name.upper().startswith("RAG_")]:
    del os.environ[_name]

# How long an example takes is the machine's doing.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

_look_up = socket.getaddrinfo


def _refuse_network() -> None:
    """Refuse to connect beyond loopback and to look other names up: a failed look-up hides the attempt."""
    socket_allow_hosts(LOOPBACK, allow_unix_socket=True)

    def guarded(host: str | bytes | None, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name is None or name in LOOPBACK or _is_wildcard(name):
            return _look_up(host, *args, **options)
        raise SocketConnectBlockedError(LOOPBACK, name)

    socket.getaddrinfo = guarded


def _is_wildcard(name: str) -> bool:
    return name in {"", "0.0.0.0", "::"}  # noqa: S104 - an address to listen on, not one to reach


@pytest.fixture(scope="session", autouse=True)
def loopback_only_in_session_fixtures() -> Iterator[None]:
    """The guard for fixtures that live longer than one test."""
    _refuse_network()
    yield
    socket.getaddrinfo = _look_up


@pytest.fixture(autouse=True)
def loopback_only() -> None:
    """The guard again: pytest-socket lifts its own after each test."""
    _refuse_network()


@pytest.fixture(scope="session")
def model_dir(pytestconfig: pytest.Config) -> Path:
    """The `models` folder that tests share, in pytest's cache: only the first run rebuilds the model."""
    assert pytestconfig.cache is not None, "the tests need pytest's cache: run without -p no:cacheprovider"
    folder = pytestconfig.cache.mkdir("data") / "models"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def embedder(model_dir: Path) -> Embedder:
    """The bundled model."""
    from index.embedder import load_embedder  # seconds: only for the tests that need it

    return load_embedder(IndexSettings(data_dir=model_dir.parent, _env_file=None))


@pytest.fixture(scope="session")
def make_data_dir(model_dir: Path) -> Callable[[Path], Path]:
    """A function that makes a folder into an empty data directory with the shared model."""

    def make(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "models").symlink_to(model_dir, target_is_directory=True)
        return folder

    return make


@pytest.fixture
def data_dir(tmp_path: Path, make_data_dir: Callable[[Path], Path]) -> Path:
    """An empty data directory with the shared model."""
    return make_data_dir(tmp_path / "data")


@pytest.fixture(scope="session")
def index_of(
    tmp_path_factory: pytest.TempPathFactory,
    make_data_dir: Callable[[Path], Path],
    embedder: Embedder,
) -> Callable[[Mapping[str, str]], IndexSettings]:
    """A function that indexes texts, by file name, in a data directory of their own; returns its settings."""
    from index.catalogue import Catalogue
    from index.indexer import Indexer

    def indexed(texts: Mapping[str, str]) -> IndexSettings:
        root = tmp_path_factory.mktemp("indexed")
        documents = root / "documents"
        documents.mkdir()
        for name, text in texts.items():
            (documents / name).write_text(text, encoding="utf-8")
        settings = IndexSettings(data_dir=make_data_dir(root / "data"), _env_file=None)
        with Catalogue.open(settings.data_dir, create=True) as catalogue:
            summary = Indexer(catalogue, embedder, settings).run([documents])
        assert summary.documents == len(texts), "every text is a document of its own"
        return settings

    return indexed


@pytest.fixture(scope="session")
def seed_settings(
    tmp_path_factory: pytest.TempPathFactory,
    make_data_dir: Callable[[Path], Path],
    embedder: Embedder,
) -> RagSettings:
    """Settings of a data directory in which the shipped documents are indexed."""
    from index.upkeep import make_index

    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of the run: its first worker indexes, and each has a copy of its own
    with (folder / "shipped.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "shipped").is_dir():
            made = IndexSettings(data_dir=make_data_dir(folder / "draft"), _env_file=None)
            assert make_index(made, [made.seeds_dir], embedder=embedder).documents
            (folder / "draft").rename(folder / "shipped")
    copy = tmp_path_factory.mktemp("seeds") / "data"
    shutil.copytree(folder / "shipped", copy, symlinks=True)
    return RagSettings(index=IndexSettings(data_dir=copy, _env_file=None), _env_file=None)


@pytest.fixture(scope="session")
def assistant(seed_settings: RagSettings) -> Iterator[Assistant]:
    """The assistant on the shipped documents."""
    from rag.assistant import Assistant

    with Assistant.open(seed_settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresForTests]:
    """A real PostgreSQL; each `url()` is an empty catalogue."""
    from postgres_server import NoPostgresError, PostgresForTests

    try:
        server = PostgresForTests()
        server.start()
    except NoPostgresError as error:
        pytest.skip(str(error))
    yield server
    server.remove()
