"""`rag doctor`'s checks: each kind of damage is seen, named, and mended by the command that the line gives."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from index.bundled import build as bundled
from index.doctor import Check, checks
from index.settings import IndexSettings
from index.upkeep import make_index
from index.vectors import pointer

if TYPE_CHECKING:
    from index.embedder import Embedder

ALL = [
    "data directory",
    "disk space",
    "recognition",
    "model files",
    "privacy",
    "catalogue",
    "index",
    "vectors",
    "configuration",
    "known vectors",
    "search",
]


@pytest.fixture(scope="module")
def template(
    tmp_path_factory: pytest.TempPathFactory, make_data_dir: Callable[[Path], Path], embedder: Embedder
) -> IndexSettings:
    """A small index with its Chroma version, made once."""
    root = tmp_path_factory.mktemp("doctor")
    docs = root / "docs"
    docs.mkdir()
    (docs / "bridge.txt").write_text("The bridge was built in 1931. It is 412 metres long.", "utf-8")
    (docs / "library.txt").write_text("গ্রন্থাগারে বারো হাজার বই আছে। এটি রবিবার বন্ধ থাকে।", "utf-8")
    (docs / "empty.txt").write_text("", "utf-8")
    settings = IndexSettings(data_dir=make_data_dir(root / "data"), seeds_dir=docs, _env_file=None)
    make_index(settings, [docs], embedder=embedder)
    return settings


@pytest.fixture
def indexed(template: IndexSettings, tmp_path: Path) -> IndexSettings:
    """A copy of that index which a test may damage."""
    copy = tmp_path / "data"
    shutil.copytree(template.data_dir, copy, symlinks=True)
    return template.model_copy(update={"data_dir": copy})


def failing(settings: IndexSettings) -> dict[str, Check]:
    return {check.name: check for check in checks(settings) if not check.ok}


def test_a_sound_index_passes_every_check(indexed: IndexSettings) -> None:
    found = list(checks(indexed))
    assert [check.name for check in found] == ALL
    assert [check for check in found if not check.ok] == []
    assert all(check.detail and not check.remedy for check in found)
    details = {check.name: check.detail for check in found}
    assert "2 documents" in details["index"]
    assert "1 files skipped" in details["index"]


def test_an_empty_data_directory_asks_for_an_index(data_dir: Path) -> None:
    found = failing(IndexSettings(data_dir=data_dir, _env_file=None))
    assert {name: check.remedy for name, check in found.items()} == {"index": "rag index"}


def test_a_missing_data_directory_is_one_failure_and_is_not_made(tmp_path: Path) -> None:
    found = failing(IndexSettings(data_dir=tmp_path / "none", _env_file=None))
    assert {name: check.remedy for name, check in found.items()} == {"data directory": "rag index"}
    assert not (tmp_path / "none").exists()


def test_a_directory_that_others_can_change_is_reported(indexed: IndexSettings) -> None:
    indexed.data_dir.chmod(0o777)
    check = check_named("data directory", indexed)
    assert not check.ok
    subprocess.run(check.remedy, shell=True, check=True)  # noqa: S602 - the remedy is meant for a shell
    assert check_named("data directory", indexed).ok


def check_named(name: str, settings: IndexSettings) -> Check:
    """One check; those after it, the slow ones, are not run."""
    return next(check for check in checks(settings) if check.name == name)


# -- the Chroma version


def _half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _first(data_dir: Path, name: str) -> Path:
    return next(path for path in sorted(pointer.folder(data_dir).rglob(name)) if path.stat().st_size)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda folder: _half(_first(folder, "data_level0.bin")), id="level-0-cut"),
        pytest.param(lambda folder: _half(_first(folder, "header.bin")), id="header-cut"),
        pytest.param(lambda folder: _first(folder, "index_metadata.pickle").unlink(), id="names-missing"),
        pytest.param(lambda folder: _first(folder, "chroma.sqlite3").unlink(), id="database-missing"),
        pytest.param(lambda folder: (pointer.folder(folder) / "current.json").unlink(), id="pointer-missing"),
        pytest.param(
            lambda folder: (pointer.folder(folder) / "current.json").write_text("{", "ascii"),
            id="pointer-torn",
        ),
    ],
)
def test_a_damaged_version_is_seen_before_it_is_opened(
    indexed: IndexSettings, damage: Callable[[Path], object]
) -> None:
    damage(indexed.data_dir)
    check = check_named("vectors", indexed)
    assert (check.ok, check.remedy) == (False, "rag index")


def test_the_remedy_of_a_damaged_version_mends_it(indexed: IndexSettings, embedder: Embedder) -> None:
    _half(_first(indexed.data_dir, "data_level0.bin"))
    assert list(failing(indexed)) == ["vectors"]
    make_index(indexed, [indexed.seeds_dir], embedder=embedder)
    assert failing(indexed) == {}


# -- the catalogue


def _sql(settings: IndexSettings, statement: str) -> None:
    with closing(sqlite3.connect(settings.data_dir / "catalogue.sqlite3")) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize(
    ("statement", "name", "said"),
    [
        pytest.param(
            "UPDATE sentences SET vector = zeroblob(8) WHERE row = 1",
            "catalogue",
            "wrong size",
            id="short-vector",
        ),
        pytest.param("DELETE FROM sentences WHERE row = 1", "catalogue", "all of their", id="lost-sentence"),
        pytest.param(
            "UPDATE sentences SET vector = (SELECT vector FROM sentences AS o "
            "WHERE o.document_id != sentences.document_id LIMIT 1)",
            "known vectors",
            "cosine",
            id="foreign-vectors",
        ),
        pytest.param(
            "DELETE FROM meta WHERE key = 'folders'", "index", "interrupted", id="interrupted-first-run"
        ),
    ],
)
def test_rows_that_do_not_fit_are_seen(indexed: IndexSettings, statement: str, name: str, said: str) -> None:
    _sql(indexed, statement)
    check = check_named(name, indexed)
    assert not check.ok
    assert said in check.detail
    assert check.remedy.endswith("rag index")


def test_a_catalogue_that_is_no_database_is_one_line(indexed: IndexSettings) -> None:
    (indexed.data_dir / "catalogue.sqlite3").write_bytes(b"this is no database at all" * 1000)
    check = check_named("catalogue", indexed)
    assert "damaged" in check.detail
    assert "rag index" in check.remedy


# -- the model and the configuration


def test_another_configuration_than_the_index_was_made_with(indexed: IndexSettings) -> None:
    found = failing(indexed.model_copy(update={"chunk_tokens": 64}))
    assert list(found) == ["configuration"]
    assert "chunk_tokens 192, not 64" in found["configuration"].detail
    assert found["configuration"].remedy == "rag index"


def test_a_model_that_is_not_there(indexed: IndexSettings) -> None:
    found = failing(indexed.model_copy(update={"embed_model": "/no/such/model"}))
    assert "no folder /no/such/model" in found["model"].detail
    assert found["model"].remedy == "unset RAG_EMBED_MODEL"


@pytest.fixture
def own_model(indexed: IndexSettings) -> Path:
    """The model's folder with links to the shared files, so that one of them may be replaced."""
    source = bundled.find_source()
    if source is None:
        pytest.skip("the bundled model does not exist for this platform")
    models = indexed.data_dir / "models"
    shared = bundled.model_folder(source, models.resolve())
    models.unlink()
    folder = bundled.model_folder(source, models)
    for path in shared.rglob("*"):
        if path.is_file():
            link = folder / path.relative_to(shared)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)
    return folder


def test_a_cut_model_file_is_seen_and_its_remedy_removes_it(indexed: IndexSettings, own_model: Path) -> None:
    tokenizer = own_model / "tokenizer.json"
    content = tokenizer.read_bytes()
    tokenizer.unlink()
    tokenizer.write_bytes(content[:1000])
    found = failing(indexed)
    assert list(found) == ["model files"]
    assert "tokenizer.json has 1000 bytes" in found["model files"].detail
    assert found["model files"].remedy == f"rm -r {own_model}"


def test_a_model_file_with_one_wrong_byte_is_seen(indexed: IndexSettings, own_model: Path) -> None:
    network = own_model / "openvino_model.xml"
    content = bytearray(network.read_bytes())
    network.unlink()
    content[len(content) // 2] ^= 1
    network.write_bytes(content)
    assert "has changed" in check_named("model files", indexed).detail
