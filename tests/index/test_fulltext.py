"""The full-text table: whole words of every script, and no way to break the query."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stored import MANIFEST, SCRIPTS, add, entry, numbered

from index.catalogue import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from index.catalogue import Generation, Reader


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Catalogue]:
    with Catalogue.open(tmp_path / "data", create=True) as opened:
        yield opened


@pytest.fixture
def generation(catalogue: Catalogue) -> Generation:
    return catalogue.begin(MANIFEST)


@pytest.fixture
def reader(catalogue: Catalogue, generation: Generation) -> Reader:
    return catalogue.reader(generation)


@pytest.mark.parametrize(
    "term",
    [
        '"',
        "'",
        "NEAR(",
        "a OR b",
        "words : x",
        "*",
        "^",
        "-",
        "",
        " ",
        "\0",
        "x\0y",
        "\ud800",
        "(",
        "AND",
        "NOT",
        "\\",
    ],
    ids=repr,
)
def test_no_term_can_break_the_query(
    catalogue: Catalogue, generation: Generation, reader: Reader, term: str
) -> None:
    add(catalogue, generation, numbered(1))
    assert reader.search_text(words=[term], keys=[term], key_weight=1, top_k=5) == []
    found = reader.search_text(words=[term, "document"], keys=[term], key_weight=1, top_k=5)
    assert len(found) == 3
    assert all(score >= 0 for _, score in found)
    assert reader.frequencies([term], column="words") == {term: 0}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(terms=st.lists(st.text(), max_size=6))
def test_any_terms_can_be_searched(tmp_path: Path, terms: list[str]) -> None:
    with Catalogue.open(tmp_path / "terms", create=True) as catalogue:
        generation = catalogue.begin(MANIFEST)
        add(catalogue, generation, SCRIPTS)
        reader = catalogue.reader(generation)
        reader.search_text(words=terms, keys=terms, key_weight=0.5, top_k=5)
        assert reader.frequencies(terms, column="keys").keys() == set(terms)


@pytest.mark.parametrize("word", ["থো", "Cần", "cần", "डेटा", "öppna", "ক্যান"])
def test_words_of_every_script_are_found_whole(
    catalogue: Catalogue, generation: Generation, reader: Reader, word: str
) -> None:
    words = [(" ".join(text.strip(".।") for text in chunk.text.split()), "") for chunk in SCRIPTS.chunks]
    add(catalogue, generation, replace(SCRIPTS, tokens=words))
    assert reader.frequencies([word], column="words") == {word: 1}
    assert len(reader.search_text(words=[word], keys=[], key_weight=1, top_k=5)) == 1
    assert reader.search_text(words=[word[:-1]], keys=[], key_weight=1, top_k=5) == []


def test_keys_weigh_as_told_and_columns_do_not_mix(
    catalogue: Catalogue, generation: Generation, reader: Reader
) -> None:
    one, two = entry("a.txt", ["alpha."]), entry("b.txt", ["beta."])
    rest = [numbered(i) for i in range(10)]
    add(
        catalogue,
        generation,
        replace(one, tokens=[("apple", "pear")]),
        replace(two, tokens=[("pear", "apple")]),
        *rest,
    )
    best = reader.search_text(words=["apple"], keys=["apple"], key_weight=0.1, top_k=5)
    assert [key for key, _ in best] == [one.chunks[0].id, two.chunks[0].id]
    best = reader.search_text(words=["apple"], keys=["apple"], key_weight=10.0, top_k=5)
    assert [key for key, _ in best] == [two.chunks[0].id, one.chunks[0].id]
    assert [k for k, _ in reader.search_text(words=["pear"], keys=[], key_weight=1, top_k=5)] == [
        two.chunks[0].id
    ]
