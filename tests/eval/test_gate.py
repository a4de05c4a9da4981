"""The gate and the baseline: what passes, what falls short, and what cannot be judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from eval.baseline import Baseline
from eval.gate import Thresholds, gates, read_thresholds
from eval.records import Place, Record, Report, Task
from eval.summary import summarise
from index.errors import UsageError

SETTINGS = {"cases": "c", "data": "d", "normaliser": "1", "seed": "0"}


def record(id_: str, scores: Mapping[str, float], *, asked: str = "en", document: str = "bn") -> Record:
    task = Task(id_, id_.split(".", maxsplit=1)[0], asked, "?", places=(Place("d1", document, 0, 5),))
    return Record(task, {"refused": False}, (), scores, 10.0)


def report(*records: Record, baseline: Baseline | None = None) -> Report:
    return summarise("a run", SETTINGS, records, baseline=baseline)


HALF = report(
    record("a.en", {"answer_match": 1.0}),
    record("a.hi", {"answer_match": 0.0}, asked="hi"),
    record("b.en", {"answer_match": 1.0}),
    record("b.hi", {"answer_match": 0.0}, asked="hi"),
)


@pytest.mark.parametrize(
    ("floor", "passed"), [(0.5, True), (0.0, True), (0.51, False), (1.0, False)], ids=str
)
def test_a_floor_is_reached_or_not(floor: float, passed: bool) -> None:
    _, gate = gates(HALF, Thresholds(floors={"answer_match": floor}))
    assert gate.passed is passed
    assert "answer_match is 0.500" in gate.message
    assert f"the floor is {floor:.3f}" in gate.message


def test_a_mean_that_floating_point_makes_a_hair_smaller_passes() -> None:
    tenths = report(*(record(f"{i}.en", {"answer_match": 0.1}) for i in range(3)))
    assert all(gate.passed for gate in gates(tenths, Thresholds(floors={"answer_match": 0.1})))


def test_the_worst_pair_of_languages_is_named() -> None:
    _, gate = gates(HALF, Thresholds(worst_cell={"answer_match": 0.25}))
    assert not gate.passed
    assert "0.000 in its worst cell, hi -> bn (2 cases)" in gate.message


@pytest.mark.parametrize("table", ["floors", "worst_cell", "drops"])
def test_what_was_not_measured_has_not_passed(table: str) -> None:
    found = gates(HALF, Thresholds(**{table: {"recall@5": 0.0}}))
    assert [gate.passed for gate in found] == [True, False]


def test_a_question_that_failed_fails_the_gate() -> None:
    broken = replace(record("c.en", {"answer_match": 1.0}), error="WorkError: the server is gone")
    first, *_ = gates(report(broken), Thresholds(floors={"answer_match": 0.0}))
    assert not first.passed
    assert "1 of 1 questions failed, first c.en: WorkError: the server is gone" in first.message


@pytest.mark.parametrize(
    ("allowed", "passed"), [(0.25, True), (0.3, True), (0.24, False), (0.0, False)], ids=str
)
def test_a_drop_is_allowed_or_not(allowed: float, passed: bool) -> None:
    better = {"a.en": 1.0, "a.hi": 1.0, "b.en": 1.0, "b.hi": 0.0}  # one of four more is right
    then = Baseline(SETTINGS, {id_: {"answer_match": value} for id_, value in better.items()})
    now = report(*HALF.records, baseline=then)
    _, gate = gates(now, Thresholds(drops={"answer_match": allowed}))
    assert gate.passed is passed
    assert "answer_match moved by -0.250" in gate.message
    assert "0 better, 3 equal, 1 worse" in gate.message


@pytest.mark.parametrize("name", ["cases", "data", "normaliser"])
def test_runs_that_measure_different_things_are_not_compared(name: str) -> None:
    other = Baseline({**SETTINGS, name: "another"}, {"a.en": {"answer_match": 1.0}})
    with pytest.raises(UsageError, match=f"they differ in {name}; write a new one"):
        report(*HALF.records, baseline=other)


def test_another_seed_or_model_may_be_compared() -> None:
    other = Baseline({**SETTINGS, "seed": "7", "index.model": "another"}, {"a.en": {"answer_match": 1.0}})
    assert report(*HALF.records, baseline=other).comparisons


def test_a_baseline_survives_its_file(tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    Baseline.of(HALF).write(path)
    again = Baseline.read(path)
    assert (again.settings, again.scores) == (HALF.settings, {r.task.id: r.scores for r in HALF.records})
    assert [p.name for p in tmp_path.iterdir()] == ["baseline.json"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "there is no baseline"),
        ("", "is not a baseline"),
        ("[]", "is not a baseline"),
        ('{"format": 99}', "has format 99"),
        ('{"format": 1}', "is not a baseline"),
        ('{"format": 1, "settings": {}, "scores": {"a": 1}}', "is not a baseline"),
    ],
    ids=["missing", "empty", "a list", "of another format", "half", "without scores"],
)
def test_what_is_no_baseline_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "baseline.json"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        Baseline.read(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("", "sets no threshold"),
        ("[floors]", "sets no threshold"),
        ("[floors", "is not TOML"),
        ("[flors]\nanswer_match = 0.5", "flors: extra inputs"),
        ("[floors]\nanswer_match = 'high'", "floors.answer_match: input should be a valid number"),
        ("[floors]\nanswer_match = 80", "must lie between 0 and 1"),
        ("[floors]\nanswer_match = nan", "must lie between 0 and 1"),
    ],
    ids=["missing", "empty", "nothing set", "not TOML", "misspelt", "a word", "percent", "nan"],
)
def test_a_wrong_thresholds_file_is_refused(tmp_path: Path, content: str | None, said: str) -> None:
    path = tmp_path / "thresholds.toml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=said):
        read_thresholds(path)


def test_every_table_of_a_thresholds_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text('[floors]\n"recall@5" = 0.9\n[worst_cell]\nf1 = 0.5\n[drops]\nf1 = 0\n', encoding="utf-8")
    assert read_thresholds(path) == Thresholds(
        floors={"recall@5": 0.9}, worst_cell={"f1": 0.5}, drops={"f1": 0.0}
    )
