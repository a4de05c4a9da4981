"""What every vector store promises, on each implementation: in memory, Chroma's files, a Chroma server."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from chroma_server import ChromaForTests

from index.errors import IndexMissing, PolyciteError, UsageError, WorkError
from index.vectors.chroma_files import ChromaFiles
from index.vectors.chroma_server import ChromaServer
from index.vectors.exact import ExactStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from index.catalogue import Space
    from index.vectors.protocol import VectorStore

DIMENSION = 24


def unit(rows: int, *, seed: int = 0, dimension: int = DIMENSION) -> NDArray[np.float32]:
    """Random unit rows (rows, dimension)."""
    vectors = np.random.default_rng(seed).standard_normal((rows, dimension)).astype(np.float32)
    lengths: NDArray[np.float32] = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / lengths


def names(rows: int) -> list[str]:
    return [f"{i:016x}:{i}:{i + 7}" for i in range(rows)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Chroma server on loopback."""
    chroma = ChromaForTests(tmp_path_factory.mktemp("server"))
    try:
        chroma.start()
        yield chroma.url
    finally:
        chroma.stop()


@pytest.fixture(params=["exact", "files", "server"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[VectorStore]:
    made: VectorStore
    if request.param == "exact":
        made = ExactStore()
    elif request.param == "files":
        made = ChromaFiles(tmp_path / "chroma")
    else:
        owner = f"t{abs(hash(request.node.name)):x}"
        made = ChromaServer(request.getfixturevalue("server"), owner=owner)
    yield made
    for version in made.versions():
        made.drop(version)
    made.close()


def write(
    store: VectorStore, version: str, rows: int, *, size: int = 7, hint: int | None = None
) -> NDArray[np.float32]:
    """Write `rows` chunks in batches of `size`, and half as many sentences; returns the chunks' vectors."""
    vectors = unit(rows)
    spaces: list[tuple[Space, int]] = [("chunks", rows), ("sentences", rows // 2)]
    for space, n in spaces:
        batches = ((names(n)[i : i + size], vectors[i : min(i + size, n)]) for i in range(0, n, size))
        written = store.write(version, space, batches, dimension=DIMENSION, rows=n if hint is None else hint)
        assert written == n
    return vectors


@pytest.mark.parametrize("rows", [0, 1, 2, 5, 150], ids="{} rows".format)
def test_search_returns_what_an_exact_search_returns(store: VectorStore, rows: int) -> None:
    vectors = write(store, "v1", rows)
    index = store.open("v1")
    queries = np.concatenate([vectors[:3], unit(4, seed=1)])
    found = index.search("chunks", queries, top_k=10)
    for query, matches in zip(queries, found, strict=True):
        scores = vectors @ query
        best = np.argsort(-scores, kind="stable")[:10]
        assert [match.id for match in matches] == [names(rows)[i] for i in best]
        assert [match.score for match in matches] == pytest.approx([float(scores[i]) for i in best], abs=1e-5)
    assert (index.count("chunks"), index.count("sentences")) == (rows, rows // 2)
    index.close()


@pytest.mark.parametrize("hint", [0, 40, 1000], ids=["unknown", "too few", "too many"])
def test_the_number_of_rows_is_only_a_hint(store: VectorStore, hint: int) -> None:
    vectors = write(store, "v1", 100, size=33, hint=hint)
    index = store.open("v1")
    assert [m[0].id for m in index.search("chunks", vectors[50:52], top_k=1)] == names(100)[50:52]
    assert index.count("chunks") == 100
    index.close()


def test_a_batch_larger_than_a_call_takes(store: VectorStore) -> None:
    vectors = unit(6000, dimension=4)
    store.write("v1", "chunks", [(names(6000), vectors)], dimension=4, rows=6000)
    store.write("v1", "sentences", [], dimension=4, rows=0)
    index = store.open("v1")
    assert index.count("chunks") == 6000
    assert index.search("chunks", vectors[5999:], top_k=1)[0][0].score == pytest.approx(1.0, abs=1e-5)
    index.close()


def test_versions_are_apart_and_can_be_dropped(store: VectorStore) -> None:
    write(store, "v1", 5)
    write(store, "v2", 9)
    assert store.versions() == ["v1", "v2"]
    index = store.open("v2")
    store.drop("v1")
    assert store.versions() == ["v2"]
    assert index.count("chunks") == 9
    assert len(index.search("chunks", unit(1), top_k=20)[0]) == 9
    index.close()
    index.close()
    store.drop("v1")
    with pytest.raises(IndexMissing, match="rag index"):
        store.open("v1")


def test_a_version_can_be_opened_twice_and_again(store: VectorStore) -> None:
    vectors = write(store, "v1", 20)
    one, two = store.open("v1"), store.open("v1")
    one.close()
    assert two.search("chunks", vectors[:1], top_k=1)[0][0].id == names(1)[0]
    two.close()
    three = store.open("v1")
    assert three.search("sentences", vectors[:1], top_k=1)[0][0].id == names(1)[0]
    three.close()


def test_no_queries_give_no_answers(store: VectorStore) -> None:
    write(store, "v1", 5)
    index = store.open("v1")
    assert index.search("chunks", np.zeros((0, DIMENSION), np.float32), top_k=3) == []
    index.close()


@pytest.mark.parametrize(
    ("shape", "top_k"),
    [((1, DIMENSION + 1), 3), ((DIMENSION,), 3), ((1, DIMENSION), 0)],
    ids=["other dimension", "one axis", "top_k 0"],
)
def test_a_malformed_question_is_refused(store: VectorStore, shape: tuple[int, ...], top_k: int) -> None:
    write(store, "v1", 5)
    index = store.open("v1")
    with pytest.raises(UsageError):
        index.search("chunks", np.ones(shape, np.float32), top_k=top_k)
    index.close()


def test_a_space_is_written_once(store: VectorStore) -> None:
    write(store, "v1", 5)
    with pytest.raises(PolyciteError):
        store.write("v1", "chunks", [(names(1), unit(1))], dimension=DIMENSION, rows=1)


def test_a_batch_that_does_not_fit_is_refused(store: VectorStore) -> None:
    with pytest.raises(UsageError, match="shape"):
        store.write("v1", "chunks", [(names(2), unit(3))], dimension=DIMENSION, rows=2)


@pytest.mark.parametrize("name", ["", "../v1", "v_1", "ভ1", "v" * 41])
def test_a_version_with_an_unsafe_name_is_refused(store: VectorStore, name: str) -> None:
    with pytest.raises(UsageError, match="letters, digits and hyphens"):
        store.write(name, "chunks", [], dimension=DIMENSION, rows=0)


def test_two_owners_on_one_server_do_not_see_each_other(server: str) -> None:
    mine, theirs = ChromaServer(server, owner="mine"), ChromaServer(server, owner="theirs")
    write(mine, "v1", 3)
    write(theirs, "v1", 4)
    mine.drop("v1")
    assert (mine.versions(), theirs.versions()) == ([], ["v1"])
    theirs.drop("v1")
    mine.close()
    theirs.close()


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
        with pytest.raises(WorkError, match=url):
            ChromaServer(url, owner="mine")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://localhost:x", "http://h/path"])
def test_a_malformed_server_url_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="RAG_CHROMA_URL"):
        ChromaServer(url, owner="mine")


def test_opening_and_searching_does_not_write_the_index_files(tmp_path: Path) -> None:
    # Chroma's SQLite file notes that it was opened; that one is written in transactions.
    store = ChromaFiles(tmp_path)
    vectors = write(store, "v1", 300, size=64, hint=0)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*/*/*") if path.is_file()}
    index = store.open("v1")
    index.search("chunks", vectors[:5], top_k=5)
    index.search("sentences", vectors[:5], top_k=5)
    index.close()
    after = {path: path.read_bytes() for path in tmp_path.rglob("*/*/*") if path.is_file()}
    assert len(before) == 10
    assert after == before


def test_closing_releases_every_file(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    if not descriptors.is_dir():
        pytest.skip("open files are counted on Linux only")
    store = ChromaFiles(tmp_path)
    vectors = write(store, "v1", 300)
    index = store.open("v1")
    index.search("chunks", vectors[:1], top_k=1)
    index.close()
    # Chroma's SQLite connections are closed by a thread of its own, a moment later.
    deadline = time.monotonic() + 30
    while (held := open_files(descriptors, tmp_path)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert held == []


def open_files(descriptors: Path, folder: Path) -> list[str]:
    targets = []
    for entry in descriptors.iterdir():
        with suppress(FileNotFoundError):  # closed since the folder was listed
            targets.append(str(entry.readlink()))
    return [target for target in targets if str(folder) in target]
