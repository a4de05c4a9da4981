"""Reports of a run: what a person or a program reads of it, with hostile text and texts of many scripts inside."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import regex
from rich.cells import cell_len
from rich.console import Console
from texts import HOSTILE, MULTI_SCRIPT, by_id

from eval.records import (
    Cell,
    Comparison,
    Estimate,
    Gate,
    Place,
    Record,
    Report,
    Retrieved,
    Stratum,
    Task,
)
from eval.report import json_file, junit, markdown, page, verdict, worst
from eval.report.excerpt import excerpt
from eval.report.labels import LABELS, label
from index.errors import UsageError, WorkError
from rag.answer import Turn
from ui import evaluation_report

LANGUAGES = ("ar", "bn", "en", "hi", "sv")
LONG = "Ett mycket långt citat om broar på Öland. " * 60
QUESTIONS = {
    "ar": MULTI_SCRIPT["arabic"],
    "bn": MULTI_SCRIPT["bengali"],
    "en": HOSTILE["script"] + " | how\nmany bridges?",
    "hi": MULTI_SCRIPT["hindi"],
    "sv": MULTI_SCRIPT["swedish"],
}


def answer(
    text: str, *, language: str = "en", refused: bool = False, quote: str = "", **more: Any
) -> dict[str, Any]:
    citation = {
        "marker": 1,
        "document_id": "d1",
        "source_url": "https://news.example/1?a=1&b=2",
        "title": "Broar",
        "language": "sv",
        "quote": quote or LONG,
        "start": 0,
        "end": len(quote or LONG),
        "score": 0.9,
        "parallel": [{"document_id": "d2", "language": "hi"}],
    }
    return {
        "answer": text,
        "short_answer": None,
        "language": language,
        "refused": refused,
        "refusal_reason": "unanswered" if refused else None,
        "citations": [citation],
        **more,
    }


def record(
    name: str,
    *,
    language: str = "en",
    stratum: Stratum = "answerable",
    said: dict[str, Any] | None = None,
    scores: dict[str, float] | None = None,
    error: str | None = None,
    question: str | None = None,
    latency_ms: float = 50.0,
) -> Record:
    answerable = stratum == "answerable"
    return Record(
        task=Task(
            id=name,
            group=name[:2],
            language=language,
            question=QUESTIONS.get(language, "?") if question is None else question,
            history=(Turn("user", "Which island?"), Turn("assistant", "Öland.")),
            expected=("14", "fourteen") if answerable else (),
            stratum=stratum,
            places=(Place("d1", "sv", 10, 20), Place("d2", "hi", 12, 25)) if answerable else (),
            tags=("bridges",),
        ),
        answer={} if error else said if said is not None else answer("14 broar [1]", language=language),
        retrieved=tuple(
            Retrieved(rank, f"d{rank}", "sv", 0, 100 * rank, 1 / rank, right=rank == 1) for rank in (1, 2, 3)
        ),
        scores={"answer_match": 1.0, "evidence@1": 1.0} if scores is None else scores,
        latency_ms=latency_ms,
        error=error,
    )


def make_records() -> tuple[Record, ...]:
    """31 cases: six for each of five languages (one wrong, one refused wrongly, one answered wrongly), one failed."""
    found = []
    for number, language in enumerate(LANGUAGES):
        common: dict[str, Any] = {"language": language}
        found += [
            record(f"{language}-0", **common, latency_ms=30.0 + 7 * number),
            record(f"{language}-1", **common, latency_ms=45.0 + 11 * number),
            record(
                f"{language}-2",
                **common,
                said=answer(HOSTILE["attribute_break"], language=language, quote=HOSTILE["comment"]),
                scores={"answer_match": 0.0, "evidence@1": 0.0},
            ),
            record(
                f"{language}-3",
                **common,
                said=answer("The documents do not say.", refused=True, language=language),
                scores={"answer_match": 0.0, "answered": 0.0},
            ),
            record(
                f"{language}-4",
                **common,
                stratum="off-topic",
                said=answer("No.", refused=True),
                scores={"refused": 1.0},
            ),
            record(f"{language}-5", **common, stratum="near-miss", scores={"refused": 0.0}, latency_ms=180.0),
        ]
    return (*found, record("xx-0", error="server said 500\n" + HOSTILE["nul_and_controls"], scores={}))


def make_report(**changes: Any) -> Report:
    """A run over five languages with everything that a report can hold."""
    cells = tuple(
        Cell(question, document, 0.5 + 0.1 * LANGUAGES.index(question) - 0.03 * number, 12 + number)
        for question in LANGUAGES
        for number, document in enumerate(("hi", "sv", "bn+hi+sv"))
    )
    values: dict[str, Any] = {
        "title": "gold set over the shipped documents",
        "created": "2026-11-22T10:00:00Z",
        "settings": {"RAG_TOP_K": "8", "model": "e5 sha256:" + "0" * 64, "seed": "7"},
        "records": make_records(),
        "estimates": {
            metric: Estimate(
                0.9 - 0.03 * number, 0.85 - 0.03 * number, 0.95 - 0.03 * number, 120 - number, 30
            )
            for number, metric in enumerate((*LABELS, "own|metric"))
        },
        "strata": {
            "answerable": {"cases": 21, "refused": 5, "failed": 1},
            "off-topic": {"cases": 5, "refused": 5, "failed": 0},
            "near-miss": {"cases": 5, "refused": 0, "failed": 0},
            "unanswered": {"cases": 0, "refused": 0, "failed": 0},
        },
        "matrices": {"answer_match": cells, "evidence@1": cells[:9]},
        "parity": {"answer_match": 0.043, "evidence@1": -0.012},
        "bias": 0.125,
        "latency_ms": {"p50": 50.0, "p95": 180.0, "max": 1180.4},
        "comparisons": (
            Comparison("answer_match", -0.051, -0.09, -0.012, 0.012, 3, 100, 9),
            Comparison("evidence@1", 0.02, -0.01, 0.05, 0.21, 9, 100, 5),
        ),
        "gates": (
            Gate("answer_match", True, "0.810, asked for at least 0.700"),
            Gate("p95", False, "180 ms, asked for at most 100 ms <b>&"),
        ),
    }
    return Report(**{**values, **changes})


EMPTY = Report(
    title="nothing",
    created="",
    settings={},
    records=(),
    estimates={},
    strata={},
    matrices={},
    parity={},
    bias=None,
    latency_ms={},
)


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


# -- the page


class Page(HTMLParser):
    """Tags with their attributes, and the text without the style sheet."""

    VOID = ("meta", "input", "br", "col")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.unbalanced: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(report: Report, folder: Path) -> Page:
    page.write(folder / "run.html", report)
    return Page((folder / "run.html").read_text(encoding="utf-8"))


def test_the_page_holds_the_whole_run(report: Report, tmp_path: Path) -> None:
    made = page_of(report, tmp_path)
    for text in (report.title, *QUESTIONS.values(), LONG.strip(), "server said 500", "own|metric", "-0.051"):
        assert text in made.text
    assert made.all("title") and made.all("h1")
    assert len([each for each in made.all("details") if "case" in str(each.get("class")).split()]) == 31 + 10
    assert {each.get("lang") for each in made.all("blockquote")} == {"sv"}
    assert all(each.get("dir") == "auto" for each in made.all("blockquote"))
    assert all(each.get("scope") for each in made.all("th"))
    assert len(made.all("svg")) == 3
    assert all(each.get("aria-label") for each in made.all("figure") if each.get("role") == "img")


def test_a_long_run_has_a_page_that_opens(tmp_path: Path) -> None:
    right = tuple(record(f"r{number}") for number in range(405))
    wrong = record("z", scores={"answer_match": 0.0})
    made = page_of(make_report(records=(*right, wrong)), tmp_path)
    assert "6 more cases: the JSON file of the run has all of them" in made.text  # 405 + 1 - 400
    assert len([each for each in made.all("details") if "v-wrong" in str(each.get("class")).split()]) == 2


def test_the_page_asks_for_nothing(report: Report, tmp_path: Path) -> None:
    made = page_of(report, tmp_path)
    assert {tag for tag, _ in made.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "form",
        "base",
    } == set()
    addresses = [
        (tag, name, value)
        for tag, attributes in made.tags
        for name, value in attributes.items()
        if name in {"src", "href", "srcset", "action", "xlink:href"} and not str(value).startswith("#")
    ]
    assert set(addresses) == {("a", "href", "https://news.example/1?a=1&b=2")}
    css = (tmp_path / "run.html").read_text(encoding="utf-8").split("<style>")[1].split("</style>")[0]
    assert not regex.search(r"@import|https?:|url\((?!#)", css)


def test_an_id_stands_once_on_the_page(report: Report, tmp_path: Path) -> None:
    ids = [attributes["id"] for _, attributes in page_of(report, tmp_path).tags if "id" in attributes]
    assert sorted(set(map(str, ids))) == sorted(map(str, ids))


@pytest.mark.parametrize("text", [*by_id(HOSTILE), pytest.param("a\ud800b", id="lone_surrogate")])
def test_foreign_text_is_shown_and_not_obeyed(text: str, tmp_path: Path) -> None:
    def with_text(said: str) -> Report:
        given = answer(said, quote=said, language=said, title=said)
        given["citations"][0] |= {"source_url": "javascript:" + said, "title": said, "language": said}
        bad = record("a", question=said, said=given, scores={said: 0.0, "answer_match": 0.0})
        return make_report(
            title=said,
            records=(bad, record("b", error=said)),
            settings={said: said},
            estimates={said: Estimate(0.5, 0.4, 0.6, 2, 2)},
            matrices={said: (Cell(said, said, 0.5, 2),)},
            parity={said: 0.1},
            gates=(Gate(said, False, said),),
        )

    made, plain = page_of(with_text(text), tmp_path), page_of(with_text("plain"), tmp_path)
    assert [tag for tag, _ in made.tags] == [tag for tag, _ in plain.tags]
    assert not made.unbalanced
    assert made.all("a") == []
    assert not [name for _, attributes in made.tags for name in attributes if name.startswith("on")]


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(EMPTY, id="empty"),
        pytest.param(replace(EMPTY, records=(record("a"),)), id="one"),
        pytest.param(replace(EMPTY, records=(record("a", error="down", scores={}),)), id="failed"),
        pytest.param(make_report(estimates={"a": Estimate(3.0, -1.0, 12.0, 1, 1)}), id="beyond-0-and-1"),
        pytest.param(
            make_report(comparisons=(Comparison("a", 0.0, 0.0, 0.0, 1.0, 0, 1, 0),)), id="no-difference"
        ),
    ],
)
def test_small_runs_have_every_report(made: Report, tmp_path: Path) -> None:
    assert not page_of(made, tmp_path).unbalanced
    assert markdown.summary(made)
    assert terminal(made)


def test_a_page_is_the_same_in_every_run(report: Report, tmp_path: Path) -> None:
    page.write(tmp_path / "a.html", report)
    page.write(tmp_path / "b.html", report)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


# -- the terminal


def terminal(report: Report, *, width: int | None = None, worst: int = 5) -> list[str]:
    """The lines that a terminal of a width shows, or, without one, a log."""
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=width is not None,
        color_system="standard" if width is not None else None,
        markup=False,
        emoji=False,
        highlight=False,
    )
    evaluation_report.show(console, report, worst=worst)
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert width is not None or "\x1b" not in text
    return regex.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


@pytest.mark.parametrize("width", [None, 80, 100, 160], ids=["log", "80", "100", "160"])
def test_the_terminal_shows_everything_within_its_width(report: Report, width: int | None) -> None:
    lines = terminal(report, width=width)
    text = "\n".join(lines)
    assert max(map(cell_len, lines)) <= (width or 100)
    assert "gold set over the shipped documents" in lines[0]
    assert "31 cases · 1 failed" in text
    for number, metric in enumerate((*LABELS, "own|metric")):
        down = 0.03 * number
        numbers = rf"{0.9 - down:.3f} +{0.85 - down:.3f} to {0.95 - down:.3f} +{120 - number}"
        assert regex.search(regex.escape(label(metric).text) + " +" + numbers, text)
    assert regex.search(r"answerable +21 +15 answered +0\.714 +1\b", text)
    assert regex.search(r"-0\.051 +-0\.090 to -0\.012 +0\.012 +3/100/9", text)
    assert f"{0.5 - 2 * 0.03:.3f} (14)*" in text
    assert lines[-1] == "1 of 2 gates fell short"
    assert "FAIL  p95: 180 ms, asked for at most 100 ms <b>&" in lines


def test_a_worst_case_takes_one_line(report: Report) -> None:
    lines = terminal(report)
    start = next(number for number, line in enumerate(lines) if line.startswith("Worst cases"))
    shown = lines[start + 3 : start + 8]
    assert [line.split()[0] for line in shown] == [each.task.id for each in worst(report, 5)]
    assert "error: server said 500" in shown[0]
    assert "14 / fourteen" in shown[1]
    assert "Worst cases" not in "\n".join(terminal(report, worst=0))


@pytest.mark.parametrize("even", [True, False], ids=["same-counts", "other-counts"])
def test_a_wide_matrix_is_shown_in_parts(even: bool) -> None:
    names = [f"{a}{b}" for a in "abcd" for b in "xyz"]
    cells = tuple(
        Cell(row, column, 0.25 + 0.05 * i, 60 if even else 60 + i)
        for row in names
        for i, column in enumerate([*names, "+".join(names)])
    )
    lines = terminal(make_report(matrices={"answer_match": cells}))
    text = "\n".join(lines)
    assert max(map(cell_len, lines)) <= 100
    assert sum(text.count(f"{0.25 + 0.05 * i:.3f}") >= len(names) for i in range(13)) == 13
    assert len(regex.findall(r"0\.250( \(60\))?\*", text)) == 1
    assert ("60 cases in each cell" in text) is even


@pytest.mark.parametrize("text", by_id(HOSTILE))
def test_a_terminal_obeys_no_foreign_text(text: str) -> None:
    bad = record(text, question=text, said=answer(text), scores={"answer_match": 0.0})
    made = make_report(
        title=text, records=(bad,), gates=(Gate(text, False, text),), strata={text: {"cases": 1}}
    )
    lines = terminal(made)
    assert not regex.search(r"[\x00-\x09\x0b-\x1f\u202e]", "\n".join(lines))
    assert max(map(cell_len, lines)) <= 100
