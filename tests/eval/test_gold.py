"""The shipped gold set: sound beside the shipped documents, in balance, and complete."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from eval.cases import GOLD, check_cases, parse_line, read_cases, tasks, warn_cases
from eval.records import STRATA, Case
from index.readers import document_files, read_document
from index.settings import IndexSettings
from index.types import Document

LANGUAGES = ("bn", "en", "hi", "sv", "vi")
TAGS = (
    *("short", "number", "date", "name", "place", "code", "list", "explanation", "follow-up", "paraphrase"),
    *("other-place", "other-year", "other-thing", "everyday"),
)
MAX_REFUSALS = 0.5
"""More refusals than answers would let a silent assistant look good."""


@pytest.fixture(scope="module")
def gold() -> list[Case]:
    return read_cases(GOLD)


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    folder = IndexSettings(_env_file=None).seeds_dir
    return [
        read_document(file, relative_to=folder, max_bytes=1_000_000, max_garbled_share=0.1)
        for file in document_files(folder)
    ]


def test_every_case_fits_the_documents(gold: list[Case], documents: list[Document]) -> None:
    assert check_cases(gold, documents) == []
    assert warn_cases(gold) == []


def test_evidence_of_every_language_version(gold: list[Case], documents: list[Document]) -> None:
    versions = Counter(document.source_url for document in documents)
    for case, task in zip(gold, tasks(gold, documents), strict=True):
        assert len(task.places) == (versions[case.source_url] if case.expected else 0), case.where


def test_every_question_in_every_language(gold: list[Case]) -> None:
    groups: dict[str, list[str]] = {}
    for case in gold:
        groups.setdefault(case.group, []).append(case.language)
    assert len(gold) == len(groups) * len(LANGUAGES) >= 120
    assert {
        group: languages for group, languages in groups.items() if sorted(languages) != [*LANGUAGES]
    } == {}


def test_versions_of_a_question_expect_the_same(gold: list[Case]) -> None:
    kinds = {(case.group, case.expected, case.stratum, case.source_url, case.tags) for case in gold}
    assert len(kinds) == len({case.group for case in gold})


def test_no_question_twice(gold: list[Case]) -> None:
    asked = Counter((case.question, case.history) for case in gold)
    assert [question for question, times in asked.items() if times > 1] == []


@pytest.mark.parametrize("stratum", STRATA)
def test_every_stratum(gold: list[Case], stratum: str) -> None:
    assert sum(case.stratum == stratum for case in gold) >= len(LANGUAGES) * 3


def test_refusals_are_the_smaller_part(gold: list[Case]) -> None:
    assert sum(not case.expected for case in gold) < MAX_REFUSALS * len(gold)


@pytest.mark.parametrize("tag", TAGS)
def test_every_tag(gold: list[Case], tag: str) -> None:
    assert any(tag in case.tags for case in gold)


def test_no_other_tag(gold: list[Case]) -> None:
    assert {tag for case in gold for tag in case.tags} == set(TAGS)


def test_every_source_is_asked_about(gold: list[Case], documents: list[Document]) -> None:
    assert {case.source_url for case in gold if case.expected} == {one.source_url for one in documents}


def test_the_example_in_the_readme_is_a_case() -> None:
    lines = [line.strip() for line in Path(GOLD, "README.md").read_text("utf-8").splitlines()]
    (example,) = [line for line in lines if line.startswith("{")]
    assert parse_line(example, where="README.md").expected == ("1987",)
