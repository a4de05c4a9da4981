"""The full text in SQLite and PostgreSQL: whole words of every script, no way to break the query, the same scores."""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from stored import MANIFEST, SCRIPTS, add, entry, numbered

from index.catalogue import Catalogue, Entry
from index.settings import IndexSettings

if TYPE_CHECKING:
    from postgres_server import PostgresForTests

    from index.catalogue import CatalogueReader, Generation


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
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader, term: str
) -> None:
    add(catalogue, generation, numbered(1))
    assert reader.search_text(words=[term], keys=[term], key_weight=1, top_k=5) == []
    found = reader.search_text(words=[term, "document"], keys=[term], key_weight=1, top_k=5)
    assert len(found) == 3
    assert all(score >= 0 for _, score in found)
    assert reader.frequencies([("words", term)]) == {("words", term): 0}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(terms=st.lists(st.text(), max_size=6))
def test_any_terms_can_be_searched(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader, terms: list[str]
) -> None:
    add(catalogue, generation, SCRIPTS)
    reader.search_text(words=terms, keys=terms, key_weight=0.5, top_k=5)
    pairs = {("keys", term) for term in terms}
    assert reader.frequencies(pairs).keys() == pairs


@pytest.mark.parametrize("word", ["থো", "Cần", "cần", "डेटा", "öppna", "ক্যান"])
def test_words_of_every_script_are_found_whole(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader, word: str
) -> None:
    words = [(" ".join(text.strip(".।") for text in chunk.text.split()), "") for chunk in SCRIPTS.chunks]
    add(catalogue, generation, replace(SCRIPTS, tokens=words))
    assert reader.frequencies([("words", word)]) == {("words", word): 1}
    assert len(reader.search_text(words=[word], keys=[], key_weight=1, top_k=5)) == 1
    assert reader.search_text(words=[word[:-1]], keys=[], key_weight=1, top_k=5) == []


def test_keys_weigh_as_told_and_columns_do_not_mix(
    catalogue: Catalogue, generation: Generation, reader: CatalogueReader
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
    counted = {("words", "pear"): 1, ("keys", "pear"): 1, ("words", "document"): 30, ("keys", "document"): 0}
    assert reader.frequencies(counted) == counted
    assert [k for k, _ in reader.search_text(words=["pear"], keys=[], key_weight=1, top_k=5)] == [
        two.chunks[0].id
    ]


# -- both give the same answers

WORDS = ["alpha", "beta", "থো", "cần", "öppna", "डेटा", "540", "数据", "x" * 3000, "y" * 2999 + "z"]


def made_up(chance: random.Random, i: int) -> Entry:
    """A document of some chunks whose tokens repeat, some everywhere and some hardly anywhere."""
    each = numbered(i, sentences=2 * chance.randint(1, 4))
    tokens = [
        (" ".join(chance.choices(WORDS, weights=range(1, 11), k=chance.randint(0, 30))), chance.choice(WORDS))
        for _ in each.chunks
    ]
    return replace(each, tokens=tokens)


def test_the_scores_of_both_databases_are_the_same(tmp_path: Path, postgres: PostgresForTests) -> None:
    chance = random.Random(5)
    entries = [made_up(chance, i) for i in range(60)]
    some = frozenset(each.document.id for each in entries[::2])
    with ExitStack() as stack:
        readers = []
        for url in (None, SecretStr(postgres.url())):
            given = IndexSettings(data_dir=tmp_path / str(bool(url)), database_url=url, _env_file=None)
            catalogue = stack.enter_context(Catalogue.configured(given, create=True))
            generation = catalogue.begin(MANIFEST)
            add(catalogue, generation, *entries)
            with catalogue.transaction(generation) as changes:  # frequencies follow
                for each in entries[7:20]:
                    changes.remove_document(each.document.id)
            assert catalogue.check() == []
            readers.append(catalogue.reader(generation))
        embedded, served = readers
        for documents in (None, some):
            for words in ([word] for word in WORDS), (chance.sample(WORDS, 4) for _ in range(20)):
                for asked in words:
                    options = {"words": asked, "keys": asked[:2], "key_weight": 0.5, "top_k": 40}
                    expected = embedded.search_text(**options, among=documents)
                    assert expected
                    assert served.search_text(**options, among=documents) == expected
        pairs = [(column, word) for column in ("words", "keys") for word in WORDS]
        assert served.frequencies(pairs) == embedded.frequencies(pairs)
