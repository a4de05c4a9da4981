"""The parts of `eval.studies.reader_scores` that need no model: windows, samples, areas, tables."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from eval.learning.pool import is_held_out
from eval.studies.reader_questions import (
    Item,
    PointedKind,
    Told,
    ToldKind,
    around,
    nearest,
    pieces,
    read_items,
    sample,
)
from eval.studies.reader_scores import Row, Spans, area, labels, span_rows, table, told_rows
from index.errors import UsageError

TEXTS = {
    "latin": "The bridge of Alby was built in 1957. Nobody knows why it is blue! " * 30,
    "devanagari": "आल्बी का पुल १९५७ में बना। कोई नहीं जानता कि वह नीला क्यों है। " * 30,
    "no-sentences": "bridge " * 300,
    "no-spaces": "x" * 2000,
    "short": "Built in 1957.",
}


def item(name: str) -> Item:
    return Item(name, "Who?", "Anna did.", ("Anna",), 0, "Alby", "en", "en")


class TestWindow:
    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    @pytest.mark.parametrize("size", [40, 600])
    def test_keeps_the_answer(self, text: str, size: int) -> None:
        for start in range(0, len(text), 7):
            answer = text[start : start + 9]
            window = around(text, start, start + len(answer), key=f"{start}", size=size)
            assert answer.strip() in window
            assert window in text
            assert len(window) <= size

    def test_may_hold_nothing_but_the_answer(self) -> None:
        assert around(TEXTS["no-spaces"], 500, 1100, key="q") == "x" * 600

    def test_refuses_an_answer_that_is_too_long(self) -> None:
        with pytest.raises(ValueError, match="window of 600 code points cannot hold 601"):
            around(TEXTS["no-spaces"], 0, 601, key="q")

    def test_begins_and_ends_with_sentences(self) -> None:
        window = around(TEXTS["devanagari"], 900, 904, key="q")
        assert window.startswith(("आल्बी", "कोई"))
        assert window.endswith("।")

    def test_begins_and_ends_with_words_where_no_sentence_does(self) -> None:
        window = around(TEXTS["no-sentences"], 700, 706, key="q")
        assert set(window.split(" ")) == {"bridge"}

    def test_is_drawn_by_the_key_alone(self) -> None:
        text, place = " ".join(str(1000 + i) for i in range(600)), (1500, 1504)
        windows = [around(text, *place, key=f"{i % 40}") for i in range(80)]
        assert windows[:40] == windows[40:]
        where = sorted(window.index(text[slice(*place)]) for window in windows)
        assert where[0] < 60
        assert where[-1] > 500

    @pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
    def test_pieces_hold_the_whole_text(self, text: str) -> None:
        cut = pieces(text)
        assert "".join("".join(cut).split()) == "".join(text.split())
        assert all(0 < len(piece) <= 600 for piece in cut)


class TestHeldOut:
    @pytest.mark.parametrize(
        ("title", "expected"),
        [
            pytest.param("Doctor_Who", True, id="latin"),
            pytest.param("Doctor Who", True, id="the-same-title"),
            pytest.param("العراق", True, id="arabic"),
            pytest.param("norquad-wikipedia-1#0", False, id="not-in-the-eighth"),
        ],
    )
    def test_goes_by_the_digest(self, title: str, expected: bool) -> None:
        assert is_held_out(title) is expected

    def test_is_an_eighth(self) -> None:
        assert 0.11 < np.mean([is_held_out(f"title {i}") for i in range(8000)]) < 0.14


class TestSample:
    def test_a_smaller_one_is_part_of_a_larger_one(self) -> None:
        items = [item(str(i)) for i in range(50)]
        assert sample(items, 20)[:8] == sample(reversed(items), 8)
        assert sample(items, 20) != sample(items, 20, salt="hi")
        assert len(sample(items, 80)) == 50

    def test_reads_what_a_window_can_answer(self, tmp_path: Path) -> None:
        row = {
            "id": "1",
            "lang": "en",
            "context_lang": "hi",
            "question": " Who? ",
            "context": "Anna " * 200,
            "answers": [{"text": "Anna", "start": 5}, {"text": "Anna", "start": 0}],
            "impossible": False,
            "title": "Alby",
        }
        long = {**row, "id": "2", "answers": [{"text": row["context"], "start": 0}]}
        nowhere = {**row, "id": "3", "answers": [], "impossible": True}
        path = tmp_path / "asked.jsonl.gz"
        path.write_bytes(gzip.compress("\n".join(json.dumps(r) for r in (row, long, nowhere)).encode()))
        found = list(read_items(path))
        assert [(i.id, i.question, i.answers, i.start) for i in found] == [
            ("1", "Who?", ("Anna",), 5),
            ("3", "Who?", (), 0),
        ]

    def test_names_a_file_that_it_cannot_read(self, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match=r"gone.jsonl.gz is not a file of questions"):
            list(read_items(tmp_path / "gone.jsonl.gz"))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(("glass",), "People of Alby sell iron.", id="most-and-rarest-words"),
        pytest.param(("iron",), "People of Borna sell salt.", id="not-the-one-with-the-answer"),
        pytest.param(("iron", "people"), "The river is blue.", id="nothing-shared"),
        pytest.param(("iron", "people", "river"), None, id="all-hold-it"),
    ],
)
def test_nearest(answers: tuple[str, ...], expected: str | None) -> None:
    windows = ["The river is blue.", "People of Borna sell salt.", "People of Alby sell iron."]
    assert nearest("What do people in Alby sell?", answers, windows) == expected


@pytest.mark.parametrize(
    ("truth", "scores", "weights", "expected"),
    [
        pytest.param([1, 1, 0, 0], [4, 3, 2, 1], None, 1.0, id="apart"),
        pytest.param([1, 0, 1, 0], [4, 3, 2, 1], None, 3 / 4, id="one-pair-of-four-wrong"),
        pytest.param([1, 0], [1, 1], None, 1 / 2, id="tie"),
        pytest.param([1, 0, 0], [2, 1, 3], [1, 3, 1], 3 / 4, id="weighed"),
        pytest.param([1, 1], [1, 2], None, None, id="one-side-alone"),
        pytest.param([], [], None, None, id="empty"),
    ],
)
def test_area(truth: list[int], scores: list[float], weights: list[float] | None, expected: float) -> None:
    assert area(truth, scores, weights) == expected


def test_span_rows_have_a_mean_of_what_was_measured() -> None:
    kinds = [
        PointedKind(name, group, ())
        for name, group in (("a", "one"), ("b", "two"), ("c", "two"), ("d", "two"))
    ]
    found = [[Spans(1.0, 0.5), Spans(0.5, 0.5), Spans(0.7, None), Spans(None, None)]]
    rows = {row.name: row.values for row in span_rows(kinds, found)}
    assert list(rows) == ["a", "b", "c", "d", "mean, two"]
    assert rows["mean, two"] == {"F1": ((0.5 + 0.7) / 2,), "exact": (0.5,)}


def test_told_rows_weigh_kinds_alike() -> None:
    right, wrong = Told("?", ("w",), answered=True), Told("?", ("w",), answered=False)
    kinds = [ToldKind("few", (right, wrong)), ToldKind("many", (right, right, wrong, wrong, wrong, wrong))]
    scores = np.array([[1, 1], [2, 2], *[[5, 5]] * 2, *[[0, 0]] * 4], np.float64)
    rows = {row.name: row for row in told_rows(kinds, [scores])}
    assert [rows[name].values["logit"] for name in ("few", "many")] == [(0.0,), (1.0,)]
    assert rows["mean of the kinds"].values["margin"] == (1 / 2,)
    # Of the four pairs of sides only few's answered against few's other is the wrong way round.
    assert rows["all, kinds alike"].values["mean z"] == (pytest.approx(3 / 4),)


def test_table() -> None:
    rows = [Row("en", 2, {"F1": (0.5, 1.0), "exact": (None, 0.25)}), Row("hi", 0, {"F1": (None, None)})]
    assert table("spans", rows, ["old", "new"]).splitlines() == [
        "| spans: F1 / exact | n | old | new |",
        "|---|---|---|---|",
        "| en | 2 | 0.50 / - | 1.00 / 0.25 |",
        "| hi | 0 | - | - |",
    ]


def test_labels_tell_files_apart() -> None:
    assert labels([Path("a/new.safetensors"), Path("b/old.safetensors")]) == ["new", "old"]
    assert labels([Path("a/new.x"), Path("b/new.x")]) == [str(Path("a/new.x")), str(Path("b/new.x"))]
