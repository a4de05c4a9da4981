"""Reports of a run: what a program reads of it, with hostile text and texts of many scripts inside."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import regex
from made_runs import EMPTY, answer, make_report, record
from texts import HOSTILE, MULTI_SCRIPT, by_id

from eval.records import (
    Gate,
    Record,
    Report,
)
from eval.report import json_file, junit, markdown, page, verdict, worst
from eval.report.excerpt import excerpt
from eval.report.labels import LABELS, label
from index.errors import UsageError, WorkError


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report()


# -- cases


@pytest.mark.parametrize(
    ("made", "said"),
    [
        pytest.param(record("a"), "right", id="answered-right"),
        pytest.param(record("a", scores={"answer_match": 0.0}), "wrong", id="answered-wrong"),
        pytest.param(record("a", scores={}), "right", id="answer-match-does-not-apply"),
        pytest.param(record("a", said=answer("", refused=True)), "wrongly refused", id="refused-wrongly"),
        pytest.param(record("a", stratum="near-miss"), "wrongly answered", id="answered-wrongly"),
        pytest.param(
            record("a", stratum="off-topic", said=answer("", refused=True)), "right", id="refused-rightly"
        ),
        pytest.param(record("a", error="down"), "failed", id="failed"),
    ],
)
def test_what_became_of_a_case(made: Record, said: str) -> None:
    assert verdict(made) == said


def test_the_worst_cases_come_failed_first_then_by_mean_score_then_by_id(report: Report) -> None:
    made = make_report(
        records=(
            record("b", scores={"answer_match": 0.0, "evidence@1": 1.0}),
            record("c", stratum="off-topic", scores={"refused": 0.0}),
            record("a", scores={"answer_match": 0.0}),
            record("right"),
            record("z", error="down", scores={}),
        )
    )
    assert [each.task.id for each in worst(made, 9)] == ["z", "a", "c", "b"]
    assert [each.task.id for each in worst(made, 2)] == ["z", "a"]
    assert worst(made, 0) == worst(made, -1) == []
    assert len(worst(report, 99)) == 5 * 3 + 1


def test_an_unknown_metric_goes_by_its_name() -> None:
    assert label("own").text == "own"
    assert label("recall@1").text != "recall@1"
    assert len({each.text for each in LABELS.values()}) == len(LABELS)


@pytest.mark.parametrize("text", [*by_id(HOSTILE), *by_id(MULTI_SCRIPT)])
def test_an_excerpt_is_one_line_of_whole_characters(text: str) -> None:
    cut = excerpt(text, length=12)
    assert len(cut) <= 12
    assert len(cut.splitlines()) <= 1
    assert not regex.search(r"[\p{Cc}\u202a-\u202e]", cut)
    assert text.translate(dict.fromkeys(range(32), " ")).startswith(cut.removesuffix("…")[:3])


# -- JSON


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(make_report(), id="full"),
        pytest.param(EMPTY, id="empty"),
        *(
            pytest.param(make_report(records=(record("a", question=text),)), id=name)
            for name, text in HOSTILE.items()
        ),
        pytest.param(
            make_report(records=(record("a", question="a\ud800b", error="\udc80"),)), id="lone-surrogate"
        ),
        pytest.param(make_report(latency_ms={"p50": 1e-9, "p95": 0.1 + 0.2}), id="floats"),
    ],
)
def test_what_is_read_equals_what_was_written(made: Report, tmp_path: Path) -> None:
    path = tmp_path / "new" / "run.json"
    json_file.write(path, made)
    first = path.read_bytes()
    assert json_file.read(path) == made
    json_file.write(path, json_file.read(path))
    assert path.read_bytes() == first


def test_the_json_file_keeps_scripts_and_order(report: Report, tmp_path: Path) -> None:
    json_file.write(tmp_path / "run.json", report)
    text = (tmp_path / "run.json").read_text(encoding="utf-8")
    data = json.loads(text)
    assert text.endswith("}\n")
    assert MULTI_SCRIPT["bengali"] in text
    assert data["format"] == 1
    assert list(data)[:3] == ["format", "title", "created"]
    assert list(data["estimates"]) == list(report.estimates)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(None, id="missing"),
        pytest.param("", id="empty"),
        pytest.param("not json", id="no-json"),
        pytest.param("[" * 100_000, id="deep"),
        pytest.param("[]", id="a-list"),
        pytest.param('{"data": []}', id="another-format"),
        pytest.param('{"format": 2}', id="a-later-format"),
        pytest.param('{"format": true}', id="no-number"),
        pytest.param('{"format": 1, "title": 3}', id="another-shape"),
    ],
)
def test_reading_something_else_names_the_file(content: str | None, tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=r"run\.json .*; (give|run)"):
        json_file.read(path)


@pytest.mark.parametrize("write", [json_file.write, junit.write, page.write], ids=["json", "junit", "page"])
def test_a_file_is_replaced_whole_or_not_at_all(
    write: Callable[[Path, Report], None], tmp_path: Path
) -> None:
    path = tmp_path / "run"
    path.write_text("old", encoding="utf-8")
    write(path, EMPTY)
    assert path.read_bytes() != b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["run"]
    taken = tmp_path / "folder"
    taken.mkdir()
    with pytest.raises(WorkError, match="folder cannot be written"):
        write(taken, EMPTY)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["folder", "run"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        json_file.write(pipe, EMPTY)
        assert json.loads(os.read(reader, 10_000))["title"] == "nothing"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


# -- JUnit


def parsed(path: Path) -> ElementTree.Element:
    return ElementTree.parse(path).getroot()  # noqa: S314 - written by this test


def test_junit_has_a_case_for_each_gate(report: Report, tmp_path: Path) -> None:
    junit.write(tmp_path / "gates.xml", report)
    suites = parsed(tmp_path / "gates.xml")
    suite = suites.find("testsuite")
    assert suite is not None
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == (report.title, "2", "1")
    assert {each.get("name"): each.get("value") for each in suite.iter("property")} == dict(report.settings)
    failures = {case.get("name"): case.findtext("failure") for case in suite.iter("testcase")}
    assert failures == {"answer_match": None, "p95": "180 ms, asked for at most 100 ms <b>&"}


@pytest.mark.parametrize("text", [*by_id(HOSTILE), pytest.param("a\ud800b", id="lone_surrogate")])
def test_junit_is_xml_whatever_the_texts_are(text: str, tmp_path: Path) -> None:
    hostile = make_report(
        title=text, settings={text: text}, gates=(Gate(text, False, text), Gate("b", True, text))
    )
    junit.write(tmp_path / "gates.xml", hostile)
    cases = list(parsed(tmp_path / "gates.xml").iter("testcase"))
    assert len(cases) == 2


def test_junit_without_gates_is_an_empty_suite(tmp_path: Path) -> None:
    junit.write(tmp_path / "gates.xml", EMPTY)
    assert list(parsed(tmp_path / "gates.xml").iter("testcase")) == []


# -- Markdown


def rows_of(text: str) -> list[list[str]]:
    return [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]


def test_the_summary_says_what_matters(report: Report) -> None:
    text = markdown.summary(report)
    assert text.startswith("## gold set over the shipped documents\n")
    assert "31 cases · **1 failed** · **1 of 2 gates fell short**" in text
    assert text.index("**FAIL** | p95") < text.index("pass | answer")
    assert "| Answer holds it | 0.690 | 0.640 to 0.740 |" in text
    assert "| -0.051 | -0.090 to -0.012 | 0.012 | 3 / 100 / 9 |" in text
    assert f"**{0.5 - 2 * 0.03:.3f}** (14)" in text  # the lowest cell
    assert text.count("<details>") == text.count("</details>") == 1
    assert "own&#124;metric" in text


@pytest.mark.parametrize("text", by_id(HOSTILE))
def test_foreign_text_stays_in_its_cell(text: str) -> None:
    said = answer(text)
    bad = record(text, question=text, said=said, scores={"answer_match": 0.0})
    made = make_report(title=text, records=(bad,), gates=(Gate(text, False, text),))
    shown = markdown.summary(made)
    plain = markdown.summary(replace(made, title="t", records=(record("a", scores={"answer_match": 0.0}),)))
    assert [len(row) for row in rows_of(shown)] == [len(row) for row in rows_of(plain)]
    assert "<" not in shown.replace("<details><summary>", "").replace("</summary>", "").replace(
        "</details>", ""
    )
    assert not regex.search(r"!\[|\]\(|javascript:|https?:", shown)


def test_an_empty_run_has_a_summary() -> None:
    assert markdown.summary(EMPTY).startswith("## nothing\n\n0 cases")


def test_tables_are_the_asked_metrics_alone(report: Report) -> None:
    text = markdown.tables(report, ["evidence@1", "answer_match", "not-there"])
    assert text.index("Evidence first") < text.index("Answer holds it")
    assert "Passage first" not in text
    assert "not-there" not in text
    assert text.count("### ") == 2
    assert {len(row) for row in rows_of(text)} == {4}


def test_the_step_summary_is_appended_where_there_is_one(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "summary.md"
    path.write_text("before\n", encoding="utf-8")
    monkeypatch.delenv(markdown.STEP_SUMMARY, raising=False)
    assert not markdown.append_step_summary(report)
    monkeypatch.setenv(markdown.STEP_SUMMARY, str(path))
    assert markdown.append_step_summary(report)
    assert path.read_text(encoding="utf-8").startswith("before\n## gold set")
    monkeypatch.setenv(markdown.STEP_SUMMARY, str(tmp_path / "none" / "summary.md"))
    with pytest.raises(WorkError, match="cannot be written"):
        markdown.append_step_summary(report)
