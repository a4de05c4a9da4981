"""The list of documents a page at a time, in three orders, narrowed by words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from stored import add, entry, filled

from index.catalogue import CatalogueReader, Order

TITLES = {
    "d.txt": "“Zebra” crossings",
    "c.txt": "Öppettider på biblioteket",
    "b.txt": "আলোর ইতিহাস",
    "a.txt": "annual report",
    "e.txt": "Annual Budget",
}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CatalogueReader]:
    folder: Path = tmp_path_factory.mktemp("listing")
    entries = []
    for path, title in TITLES.items():
        made = entry(path, [f"{title} is described."])
        entries.append(replace(made, document=replace(made.document, title=title)))
    catalogue, generation = filled(folder, entries)
    yield catalogue.reader(generation)
    catalogue.close()


def paths(reader: CatalogueReader, *, order: Order = "path", words: str | None = None) -> list[str]:
    total, infos = reader.page(limit=100, order=order, words=words)
    assert total == len(infos)
    return [info.path for info in infos]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("path", ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt"]),
        ("title", ["e.txt", "a.txt", "d.txt", "c.txt", "b.txt"]),
    ],
)
def test_each_order(reader: CatalogueReader, order: Order, expected: list[str]) -> None:
    assert paths(reader, order=order) == expected


def test_what_was_added_in_the_same_second_comes_by_path(reader: CatalogueReader) -> None:
    by_path = sorted(reader.documents(), key=lambda info: info.path)
    newest = sorted(by_path, key=lambda info: info.added_at, reverse=True)
    assert paths(reader, order="newest") == [info.path for info in newest]


def test_the_newest_come_first(tmp_path: Path) -> None:
    catalogue, generation = filled(tmp_path, [entry("a.txt", ["The old one."])])
    with catalogue:
        reader = catalogue.reader(generation)
        [old] = reader.documents()
        while datetime.now(UTC).isoformat(timespec="seconds") == old.added_at:  # a second at most
            time.sleep(0.05)
        add(catalogue, generation, entry("b.txt", ["The new one."]))
        assert paths(reader, order="newest") == ["b.txt", "a.txt"]


@pytest.mark.parametrize("order", ["path", "newest", "title"])
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("ANNUAL", {"a.txt", "e.txt"}),
        ("öPPET bibliotek", {"c.txt"}),
        ("আলোর", {"b.txt"}),
        ("annual zebra", set()),
        ("D.TXT", {"d.txt"}),
        ("  ", set(TITLES)),
    ],
)
def test_words_narrow_it_in_any_script(
    reader: CatalogueReader, order: Order, words: str, expected: set[str]
) -> None:
    found = paths(reader, order=order, words=words)
    assert set(found) == expected
    assert found == [path for path in paths(reader, order=order) if path in expected], "and keep the order"


@pytest.mark.parametrize("order", ["path", "newest", "title"])
@pytest.mark.parametrize("words", [None, "t"])
def test_pages_make_up_the_whole(reader: CatalogueReader, order: Order, words: str | None) -> None:
    pages = [reader.page(limit=2, offset=offset, order=order, words=words) for offset in range(0, 8, 2)]
    assert [each.path for _, page in pages for each in page] == paths(reader, order=order, words=words)
    assert {total for total, _ in pages} == {len(paths(reader, words=words))}
    assert pages[-1][1] == [], "beyond the end"


def test_a_catalogue_without_documents(tmp_path: Path) -> None:
    catalogue, generation = filled(tmp_path, [])
    with catalogue:
        assert catalogue.reader(generation).page(limit=5, order="title") == (0, [])
