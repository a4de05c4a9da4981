"""The page of a run: all of it is there, it asks for nothing, and foreign text is shown and not obeyed."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import regex
from made_runs import EMPTY, LONG, QUESTIONS, answer, make_report, record
from texts import HOSTILE, by_id

from eval.records import (
    Cell,
    Comparison,
    Estimate,
    Gate,
    Report,
)
from eval.report import page


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report()


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


def test_a_page_is_the_same_in_every_run(report: Report, tmp_path: Path) -> None:
    page.write(tmp_path / "a.html", report)
    page.write(tmp_path / "b.html", report)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()


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
def test_small_runs_have_a_page(made: Report, tmp_path: Path) -> None:
    assert not page_of(made, tmp_path).unbalanced
