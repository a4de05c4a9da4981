"""SQuAD files as suites: contexts and questions of every pair of languages, and one index of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from made_suites import by_id, documents_of, words_at
from public_files import (
    ANSWERS,
    ARTICLES,
    write_squad,
)

from eval import suites
from eval.squad import NO_TEXT, NOT_THERE
from eval.suites import UNPLACED, Suite
from index.errors import UsageError


class TestPairs:
    @pytest.fixture
    def found(self, tmp_path: Path, suite_options: dict[str, Any]) -> list[Suite]:
        files = [write_squad(tmp_path, language) for language in ARTICLES]
        return list(suites.squad_suites(files, files, **suite_options))

    def test_every_question_file_is_asked_of_every_context_file(self, found: list[Suite]) -> None:
        wanted = [
            {f"{id_}.{asked}.{over}" for asked in ARTICLES for id_ in ANSWERS[over] if id_ in ANSWERS[asked]}
            for over in ARTICLES
        ]
        assert [set(by_id(suite)) for suite in found] == wanted

    def test_the_place_is_the_answer_in_the_language_of_the_documents(self, found: list[Suite]) -> None:
        for over, suite in zip(ARTICLES, found, strict=True):
            for task in suite.tasks:
                assert words_at(suite, task) == {over: ANSWERS[over][task.group]}, task.id

    def test_the_answer_may_be_in_either_language(self, found: list[Suite]) -> None:
        task = by_id(found[1])["b2.en.hi"]
        assert (task.language, task.question) == ("en", "What carried people over the water?")
        assert task.expected == ("एक छोटी नाव", "a small ferry")
        assert task.tags == ("pair", "en->hi")

    def test_paragraphs_without_text_are_counted(self, found: list[Suite]) -> None:
        assert [suite.left_out for suite in found] == [{}, {}, {NO_TEXT: 1}]

    def test_files_are_named_with_their_hashes(self, found: list[Suite], tmp_path: Path) -> None:
        hashes = found[0].data_hashes
        assert set(hashes) == {f"squad.{language}.json" for language in ARTICLES}
        assert all(len(value) == 64 for value in hashes.values())


def test_every_pair_asks_the_same_sample(tmp_path: Path, suite_options: dict[str, Any]) -> None:
    files = [write_squad(tmp_path, language) for language in ARTICLES]
    found = list(suites.squad_suites(files, files, **suite_options, limit=2, seed=3))
    # b1 and b2 are what all three files hold.
    assert {(suite.title, task.group) for suite in found for task in suite.tasks} == {
        (suite.title, id_) for suite in found for id_ in ("b1", "b2")
    }
    assert sum(len(suite.tasks) for suite in found) == 3 * 3 * 2


def test_impossible_questions_must_be_refused(tmp_path: Path, suite_options: dict[str, Any]) -> None:
    file = write_squad(tmp_path, "sv", impossible=(("x1", "Vem målade bron röd?"),))
    (suite,) = suites.squad_suites([file], [file], **suite_options)
    task = by_id(suite)["x1.sv.sv"]
    assert (task.stratum, task.must_refuse, task.places, task.expected) == ("unanswered", True, (), ())
    assert sum(task.stratum == "answerable" for task in suite.tasks) == 2


def test_one_index_holds_every_language(tmp_path: Path, suite_options: dict[str, Any]) -> None:
    files = [write_squad(tmp_path, language) for language in ARTICLES]
    suite = suites.squad_pool(files, files[:1], **suite_options)
    assert {task.id: words_at(suite, task) for task in suite.tasks} == {
        f"{id_}.en": {over: ANSWERS[over][id_] for over in ARTICLES if id_ in ANSWERS[over]}
        for id_ in ANSWERS["en"]
    }
    assert by_id(suite)["b2.en"].expected == ("a small ferry", "एक छोटी नाव", "en liten färja")
    assert all(document.source_url is None for document in documents_of(suite).values())
    assert len(documents_of(suite)) == 2 + 2 + 1


def test_a_question_is_impossible_in_one_index_when_no_file_answers_it(
    tmp_path: Path, suite_options: dict[str, Any]
) -> None:
    english = write_squad(tmp_path, "en", impossible=(("b9", "Who painted the bridge red?"),))
    swedish = write_squad(
        tmp_path, "sv", impossible=(("b9", "Vem målade bron röd?"), ("l1", "Hur många böcker lånas ut?"))
    )
    suite = suites.squad_pool([english, swedish], [swedish], **suite_options)
    assert {task.id: task.stratum for task in suite.tasks} == {
        "b1.sv": "answerable",
        "b2.sv": "answerable",
        "b9.sv": "unanswered",
        "l1.sv": "answerable",  # the English file answers it
    }


def test_wrong_offsets_are_mended_and_lost_answers_counted(
    tmp_path: Path, suite_options: dict[str, Any]
) -> None:
    file = write_squad(tmp_path, "en")
    content = json.loads(file.read_text("utf-8"))
    first, second = content["data"][0]["paragraphs"]
    first["qas"][0]["answers"][0]["answer_start"] += 5
    second["qas"][0]["answers"][0]["text"] = "a rowing boat"
    file.write_text(json.dumps(content), encoding="utf-8")
    (suite,) = suites.squad_suites([file], [file], **suite_options)
    assert {task.group: words_at(suite, task)["en"] for task in suite.tasks} == {
        "b1": "1972",
        "l1": "nine thousand",
    }
    assert suite.left_out == {NOT_THERE: 1}


def test_an_answer_that_reading_changes_is_counted(tmp_path: Path, suite_options: dict[str, Any]) -> None:
    """A last line with a source is no text of the document any more."""
    file = write_squad(tmp_path, "en")
    content = json.loads(file.read_text("utf-8"))
    source = "Source: https://town.example/library"
    qas = [
        {"id": "s1", "question": "Where is it from?", "answers": [{"answer_start": 8, "text": source[8:]}]}
    ]
    content["data"][1]["paragraphs"].append({"context": source, "qas": qas})
    file.write_text(json.dumps(content), encoding="utf-8")
    (suite,) = suites.squad_suites([file], [file], **suite_options)
    assert sorted(task.group for task in suite.tasks) == ["b1", "b2", "l1"]
    assert suite.left_out == {UNPLACED: 1}


class TestFilesThatDoNotGoTogether:
    def test_questions_about_other_paragraphs(self, tmp_path: Path, suite_options: dict[str, Any]) -> None:
        contexts = write_squad(tmp_path, "en")
        content = contexts.read_text("utf-8")
        for id_ in ANSWERS["en"]:
            content = content.replace(f'"{id_}"', f'"other {id_}"')
        questions = tmp_path / "other.json"
        questions.write_text(content, encoding="utf-8")
        with pytest.raises(UsageError, match=r"other\.json shares no question id with .*squad\.en\.json"):
            suites.squad_suites([contexts], [questions], **suite_options)

    def test_two_wordings_in_one_language(self, tmp_path: Path, suite_options: dict[str, Any]) -> None:
        files = [write_squad(tmp_path, "en"), write_squad(tmp_path, "en", name="again.json")]
        with pytest.raises(UsageError, match=r"two files hold the question b1\.en\.en in the same language"):
            suites.squad_suites(files[:1], files, **suite_options)

    def test_nothing_given(self, tmp_path: Path, suite_options: dict[str, Any]) -> None:
        with pytest.raises(UsageError, match="at least one file of contexts and one file of questions"):
            suites.squad_pool([], [], **suite_options)

    def test_a_file_given_twice_counts_once(self, tmp_path: Path, suite_options: dict[str, Any]) -> None:
        file = write_squad(tmp_path, "en")
        (suite,) = suites.squad_suites([file, file], [file, file], **suite_options)
        assert len(suite.tasks) == 3
